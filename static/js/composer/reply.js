import { excerptOf } from '../conversation/quotes.js';
import { find, parseHtml } from '../page/dom.js';
import { describeField } from './description.js';

/** What the next message answers, shown above the field. In a thread everything answers its first message. */
export class Reply {
  #form;
  #input;
  #line;

  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.#form = form;
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

  /** @param {string} seq */
  isTo(seq) {
    return this.isOn && this.#input.value === seq;
  }

  clear() {
    this.#input.value = this.#input.dataset.thread ?? '';
    this.#line.hidden = true;
    describeField(this.#form);
    const address = new URL(location.href);
    if (!address.searchParams.has('reply')) return;
    // It would be chosen again with the next load.
    address.searchParams.delete('reply');
    history.replaceState(history.state, '', address);
  }

  /** @param {HTMLElement} message */
  to(message) {
    this.#show(message.dataset.seq ?? '', find(message, '.author').textContent ?? '', excerptOf(message));
  }

  /**
   * @param {string} seq
   * @param {string} author
   * @param {string} excerpt
   */
  #show(seq, author, excerpt) {
    this.#input.value = seq;
    find(this.#line, '[data-reply-author]').textContent = author;
    find(this.#line, '[data-reply-excerpt]').textContent = excerpt;
    this.#line.hidden = false;
    describeField(this.#form);
  }

  /**
   * The same for a message that may not be on the page; one that was chosen meanwhile stays.
   * @param {string} groupId
   * @param {number} seq
   */
  async toSeq(groupId, seq) {
    if (this.isOn) return;
    const shown = document.getElementById(`message-${seq}`);
    if (shown) return this.to(shown);
    this.#show(String(seq), '…', '');
    const message = await fetchMessage(groupId, seq);
    // It may have been sent meanwhile, or something else chosen.
    if (message && this.isOn && this.#input.value === String(seq)) this.to(message);
  }

  /** The seq of the message that is answered, if one is, for a message that goes out now. */
  take() {
    const seq = Number(this.#input.value) || undefined;
    this.clear();
    return seq;
  }
}

/**
 * A message of the history; undefined where it cannot be had.
 * @param {string} groupId
 * @param {number} seq
 */
async function fetchMessage(groupId, seq) {
  const address = `/groups/${groupId}/messages?before=${seq + 1}`;
  const response = await fetch(address, { headers: { 'HX-Request': 'true' } }).catch(() => undefined);
  if (!response?.ok) return undefined;
  const message = parseHtml(await response.text()).querySelector(`#message-${seq}`);
  return message instanceof HTMLElement ? message : undefined;
}
