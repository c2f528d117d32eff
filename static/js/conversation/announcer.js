import { find } from '../page/dom.js';
import { excerptOf } from './quotes.js';

/** Several that come at once are read one after another; older ones were. */
const MAX_LINES = 5;

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
    if (message.dataset.authorId === this.#accountId) return;
    const line = document.createElement('p');
    line.textContent = `${find(message, '.author').textContent}: ${excerptOf(message)}`;
    this.#region.append(line);
    while (this.#region.childElementCount > MAX_LINES) this.#region.firstElementChild?.remove();
  }
}
