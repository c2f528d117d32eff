import { fileFailure, StartError } from '../src/errors.ts';

/** Runs a command. What cannot be is printed as one sentence, and the exit code is that of a failure. */
export async function runCommand(run: () => Promise<void>, failed = 1): Promise<void> {
  // An exit removes what is temporary; the end by a signal would not.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  try {
    await run();
  } catch (error) {
    const failure = error instanceof StartError ? error : fileFailure(error);
    if (!failure) throw error;
    console.error(failure.message);
    process.exitCode = failed;
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
    const message = error instanceof Error ? error.message : String(error);
    // What follows in further lines are the ways around it.
    throw new StartError(message.split('\n')[0] ?? message);
  }
}
