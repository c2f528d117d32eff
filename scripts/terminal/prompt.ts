import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';

type Waiting = { resolve: (answer: string) => void; reject: (error: Error) => void };

/**
 * Asks lines at the terminal. The terminal shows nothing of its own from the first question until `close`, and what is
 * typed between two questions is not shown either: it may be the password that is asked next.
 */
export class Prompt {
  #reader: Interface | undefined;
  #waiting: Waiting | undefined;
  #isShown = false;
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

  /** Leaves what was typed since the last answer to whoever reads the terminal next. */
  close(): void {
    const reader = this.#reader;
    if (!reader) return;
    const typed = [...this.#early, reader.line].join('\r');
    reader.close();
    if (typed) process.stdin.unshift(Buffer.from(typed));
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
    reader.on('close', () => {
      this.#reader = undefined;
      this.#waiting?.reject(new Error('Stopped.'));
    });
    reader.on('SIGINT', () => {
      reader.close();
      if (!this.#waiting) process.kill(process.pid, 'SIGINT');
    });
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
