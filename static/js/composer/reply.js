import { excerptOf } from '../conversation/quotes.js';
import { find } from '../page/dom.js';

/** What the next message answers, shown above the field. In a thread everything answers its first message. */
export class Reply {
  #input;
  #line;

  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.#input = find(form, '[name="replyTo"]', HTMLInputElement);
    this.#line = find(form, '[data-replying]');
    find(form, '[data-cancel-reply]').addEventListener('click', (event) => {
      event.preventDefault();
      this.clear();
      find(form, 'textarea').focus();
    });
  }

  get isOn() {
    return !this.#line.hidden;
  }

  clear() {
    this.#input.value = this.#input.dataset.thread ?? '';
    this.#line.hidden = true;
  }

  /** @param {HTMLElement} message */
  to(message) {
    this.#input.value = message.dataset.seq ?? '';
    find(this.#line, '[data-reply-author]').textContent = find(message, '.author').textContent;
    find(this.#line, '[data-reply-excerpt]').textContent = excerptOf(message);
    this.#line.hidden = false;
  }

  /** The seq of the message that is answered, if one is, for a message that goes out now. */
  take() {
    const seq = Number(this.#input.value) || undefined;
    this.clear();
    return seq;
  }
}
