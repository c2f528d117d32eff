import { act } from '../page/dialog.js';
import { find, findAll, parseHtml } from '../page/dom.js';
import { describeField } from './description.js';

/** Edits a sent message in the composer: Up starts with the last own message, Escape cancels. */
export class Editing {
  #form;
  #line;
  #groupId;
  #setText;
  /** @type {string | undefined} */
  #seq;
  /** What stood in the field before: it comes back afterwards. */
  #draft = '';
  /** What the message said when its edit began. */
  #before = '';

  /**
   * @param {HTMLFormElement} form
   * @param {string} groupId
   * @param {(text: string) => void} setText of the field
   */
  constructor(form, groupId, setText) {
    this.#form = form;
    this.#line = find(form, '[data-editing]');
    this.#groupId = groupId;
    this.#setText = setText;
    find(this.#line, '[data-cancel-edit]').addEventListener('click', () => this.stop());
    // It is no draft: the browser asks before it is lost.
    addEventListener('beforeunload', (event) => {
      if (this.isOn && this.#field.value !== this.#before) event.preventDefault();
    });
  }

  get isOn() {
    return this.#seq !== undefined;
  }

  /**
   * The last message that is edited as text: a voice message has a form of its own for its transcript.
   * @param {string} accountId whose
   */
  lastOf(accountId) {
    const own = `#messages > .message[data-author-id="${CSS.escape(accountId)}"]:not(.is-removed, :has(.voice))`;
    return findAll(document, own).at(-1);
  }

  /**
   * Resolves to the sentence of a refusal.
   * @param {HTMLElement} message of one's own
   */
  async start(message) {
    const { seq = '' } = message.dataset;
    const content = await fetchContent(this.#groupId, seq);
    if (content === undefined) return 'This message cannot be had now. Try again in a moment.';
    if (this.isOn && this.#field.value !== this.#before)
      return 'Save the edit that is open first, or cancel it.';
    if (!this.isOn) this.#draft = this.#field.value;
    this.#before = content;
    this.#show(seq, content);
    return '';
  }

  stop() {
    this.#show(undefined, this.#draft);
  }

  /** What stood in the field before. */
  get draft() {
    return this.#draft;
  }

  /** @param {string} text that goes before what stood in the field before */
  prependDraft(text) {
    this.#draft = joined(text, this.#draft);
  }

  /** What stood in the field before was sent. */
  dropDraft() {
    this.#draft = '';
  }

  /**
   * Resolves to the sentence of a refusal; what was typed is then still there.
   * @param {string} content
   */
  async save(content) {
    const seq = this.#seq;
    const refusal = await act(`/groups/${this.#groupId}/messages/${seq}/edit`, { content });
    if (refusal || this.#seq !== seq) return refusal;
    // What was typed meanwhile is a further edit.
    if (this.#field.value === content) this.stop();
    else this.#before = content;
    return refusal;
  }

  get #field() {
    return find(this.#form, 'textarea', HTMLTextAreaElement);
  }

  /**
   * @param {string | undefined} seq
   * @param {string} text
   */
  #show(seq, text) {
    this.#seq = seq;
    this.#line.hidden = seq === undefined;
    describeField(this.#form);
    find(this.#form, '[data-send]').textContent = seq === undefined ? 'Send' : 'Save';
    this.#setText(text);
    this.#field.focus();
  }
}

/**
 * @param {string} first
 * @param {string} second
 */
export function joined(first, second) {
  return second ? `${first}\n${second}` : first;
}

/**
 * What a message said as it was typed; undefined where that cannot be had.
 * @param {string} groupId
 * @param {string} seq
 */
async function fetchContent(groupId, seq) {
  const response = await fetch(`/groups/${groupId}/messages/${seq}`, {
    headers: { 'HX-Request': 'true' },
  }).catch(() => undefined);
  if (!response?.ok) return undefined;
  const field = parseHtml(await response.text()).querySelector('#edit-content');
  return field instanceof HTMLTextAreaElement ? field.value : undefined;
}
