import { excerptOf } from '../conversation/quotes.js';
import { find, parseHtml } from '../page/dom.js';
import { tabStorage } from '../page/storage.js';
import { describeField } from './description.js';

/** What the next message answers, shown above the field. In a thread everything answers its first message. */
export class Reply {
  #form;
  #input;
  #line;
  #key;

  /**
   * @param {HTMLFormElement} form
   * @param {string} key under which this tab keeps it, beside the draft
   */
  constructor(form, key) {
    this.#form = form;
    this.#key = key;
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
    tabStorage.set(this.#key, '');
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
    tabStorage.set(this.#key, seq);
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

  /**
   * What the draft of this tab answers, after the page was loaded again.
   * @param {string} groupId
   * @param {boolean} hasDraft without one, nothing is answered
   */
  restore(groupId, hasDraft) {
    const seq = Number(tabStorage.get(this.#key) ?? 0);
    if (!hasDraft && !this.isOn) tabStorage.set(this.#key, '');
    else if (seq > 0) void this.toSeq(groupId, seq);
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
