import { StartError } from '../src/errors.ts';

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
