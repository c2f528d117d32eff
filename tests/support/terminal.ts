import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { atEnd, type Ending, ROOT, temporaryFolder } from './hearth.ts';
import { PATIENCE_MS, until } from './until.ts';

/** A real terminal (tmux) in which the client runs. */
export class Terminal {
  readonly #name = `hearth-${randomUUID()}`;
  readonly home: string;

  /** @param home the folder of its settings; a new one where it is not given */
  constructor(
    test: Ending,
    address: string,
    { home = temporaryFolder(test), env = '', columns = 100, rows = 24 } = {},
  ) {
    this.home = home;
    const client = `${process.execPath} command.js chat ${address}`;
    // Nothing else of the environment: ink draws nothing where CI is set.
    const variables = `PATH="$PATH" TERM="$TERM" LANG=C.UTF-8 XDG_CONFIG_HOME=${home} ${env}`;
    const command = `cd ${ROOT} && env -i ${variables} ${client}; echo "left $?"; cat`;
    this.#tmux('-u', '-f', '/dev/null', 'new-session', '-d', '-x', `${columns}`, '-y', `${rows}`, command);
    atEnd(test, () => {
      try {
        this.#tmux('kill-server');
      } catch {
        // It has ended by itself.
      }
    });
  }

  /** Types, and presses Enter. */
  enter(text: string): void {
    this.type(text);
    this.press('Enter');
  }

  type(text: string): void {
    this.#tmux('send-keys', '-l', text);
  }

  /** Keys by the names that tmux has for them. */
  press(...keys: string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-x', `${columns}`, '-y', `${rows}`);
  }

  /** What is on the screen. @param withColours with its escape sequences */
  screen(withColours = false): string {
    return this.#tmux('capture-pane', '-p', ...(withColours ? ['-e'] : []));
  }

  /** Resolves to the screen once it shows this. */
  async shows(wanted: string | RegExp): Promise<string> {
    const fits = (screen: string) =>
      typeof wanted === 'string' ? screen.includes(wanted) : wanted.test(screen);
    const fitting = () => {
      const screen = this.screen();
      return fits(screen) && screen;
    };
    return until(fitting, () => `The terminal does not show ${wanted}:\n${this.screen()}`);
  }

  /** Presses a key until the screen shows this. A press may do nothing while older messages are on their way. */
  async turnTo(key: 'PageUp' | 'PageDown', wanted: string): Promise<string> {
    for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; await sleep(150)) {
      const screen = this.screen();
      if (screen.includes(wanted)) return screen;
      this.press(key);
    }
    throw new Error(`${key} does not lead to ${wanted}:\n${this.screen()}`);
  }

  #tmux(...args: string[]): string {
    return execFileSync('tmux', ['-L', this.#name, ...args], { encoding: 'utf8', stdio: 'pipe' });
  }
}

/** Where the client is, for those that run it without a terminal. */
export const CLIENT = [join(ROOT, 'command.js'), 'chat'] as const;
