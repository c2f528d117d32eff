import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';

type Waiting = { resolve: (answer: string) => void; reject: (error: Error) => void };

/**
 * Asks lines at the terminal. From the first question until `close` the terminal shows nothing of its own, and what is
 * typed while nothing is asked is not shown: it may be the password that is asked next, or the last one once more.
 */
export class Prompt {
  #reader: Interface | undefined;
  #waiting: Waiting | undefined;
  #isShown = false;
  #isClosed = false;
  /** Lines that were typed before they were asked. */
  readonly #early: string[] = [];

  /**
   * @param options.isSecret it is not shown while it is typed
   * @throws Error where the person stops with Ctrl+C or Ctrl+D
   */
  ask(question: string, { isSecret = false } = {}): Promise<string> {
    this.#reader ??= this.#open();
    const early = this.#early.shift();
    if (early !== undefined) {
      process.stdout.write(`${question}\n`);
      return Promise.resolve(early);
    }
    const answered = new Promise<string>((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
    this.#isShown = !isSecret;
    if (isSecret) process.stdout.write(question);
    else {
      this.#reader.setPrompt(question);
      this.#reader.prompt(true);
    }
    return answered;
  }

  /** What was typed since the last answer is dropped. */
  close(): void {
    this.#isClosed = true;
    this.#reader?.close();
  }

  #open(): Interface {
    const output = new Writable({
      write: (chunk, _encoding, done) => {
        if (this.#isShown) process.stdout.write(chunk);
        done();
      },
    });
    // Without a history, the arrow keys do not show a password.
    const reader = createInterface({
      input: process.stdin,
      // Its width, for the lines of a question that are longer.
      output: Object.assign(output, { columns: process.stdout.columns }),
      terminal: true,
      historySize: 0,
    });
    reader.on('line', (line) => this.#take(line));
    // Also at Ctrl+D.
    reader.on('close', () => {
      if (this.#isClosed) return;
      process.stdout.write('\n');
      if (this.#waiting) this.#waiting.reject(new Error('Stopped.'));
      else process.kill(process.pid, 'SIGINT');
    });
    reader.on('SIGINT', () => reader.close());
    return reader;
  }

  #take(line: string): void {
    const waiting = this.#waiting;
    if (!waiting) return void this.#early.push(line);
    if (!this.#isShown) process.stdout.write('\n');
    this.#isShown = false;
    this.#waiting = undefined;
    waiting.resolve(line);
  }
}
