import { StartError } from '../src/errors.ts';

/** Runs a command. What cannot be is printed as one sentence, and the exit code is 1. */
export async function runCommand(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

/** A line that counts, where somebody looks at it. */
export function printProgress(done: number, total: number): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(`\r${done} of ${total} files${done === total ? '\n' : ''}`);
}

/** Says in one sentence which flag is wrong. */
export function readFlags<Flags>(parse: () => Flags): Flags {
  try {
    return parse();
  } catch (error) {
    throw new StartError(error instanceof Error ? error.message : String(error));
  }
}
