import { listen } from '../page/events.js';

const SHOWN_MS = 5_000;
const MAX_NAMES = 3;

/** "Mina is typing…", for as long as she does. */
export class TypingLine {
  #line;
  /** @type {Map<string, { name: string, timer: number }>} */
  #byAccount = new Map();

  /** @param {HTMLElement} line */
  constructor(line) {
    this.#line = line;
    listen('typing', ({ accountId, name }) => {
      clearTimeout(this.#byAccount.get(accountId)?.timer);
      const timer = setTimeout(() => this.stop(accountId), SHOWN_MS);
      this.#byAccount.set(accountId, { name, timer });
      this.#show();
    });
  }

  /** @param {string | undefined} accountId who has sent what they typed, or has left */
  stop(accountId) {
    const person = this.#byAccount.get(accountId ?? '');
    if (!accountId || !person) return;
    clearTimeout(person.timer);
    this.#byAccount.delete(accountId);
    this.#show();
  }

  #show() {
    const names = [...this.#byAccount.values()].map((person) => person.name);
    const people = new Intl.ListFormat('en').format(names.slice(0, MAX_NAMES));
    this.#line.textContent =
      names.length === 0 ? '' : `${people} ${names.length === 1 ? 'is' : 'are'} typing…`;
  }
}
