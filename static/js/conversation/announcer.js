import { find } from '../page/dom.js';
import { excerptOf } from './quotes.js';
import { threadBeside } from './thread-pane.js';

/** After so long a line was read out; who reads the page meets the message in the list. */
const SHOWN_MS = 5_000;

/** Tells screen readers of new messages, and of nothing else that changes in the list. */
export class Announcer {
  #region;
  #accountId;

  /**
   * @param {HTMLElement} section
   * @param {string} accountId who looks at it, and knows what they wrote
   */
  constructor(section, accountId) {
    this.#region = find(section, '[data-new-messages]');
    this.#accountId = accountId;
  }

  /** @param {HTMLElement} message */
  say(message) {
    const { authorId, thread } = message.dataset;
    // A reply in the thread that is open beside this conversation is announced there.
    if (authorId === this.#accountId || (thread && thread === threadBeside())) return;
    const line = document.createElement('p');
    line.textContent = `${find(message, '.author').textContent}: ${excerptOf(message)}`;
    this.#region.append(line);
    setTimeout(() => line.remove(), SHOWN_MS);
  }
}
