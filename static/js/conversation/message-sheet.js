// Everything that can be done with a message, as the server lists it.

import { copy } from '../page/clipboard.js';
import { act, ask, sheet, showSheet, UNREACHABLE } from '../page/dialog.js';
import { find, findAll, findOptional, isFocusGone, textOf } from '../page/dom.js';
import { focusMessage } from './message-list.js';

export class MessageSheet {
  #actions;
  #composer;

  /**
   * @param {import('./actions.js').Actions} actions
   * @param {import('./actions.js').Composer} composer
   */
  constructor(actions, composer) {
    this.#actions = actions;
    this.#composer = composer;
  }

  /**
   * @param {HTMLElement} message
   * @param {{ part?: string, isToCorrect?: boolean }} [options] what of it is looked at first
   */
  async open(message, { part, isToCorrect } = {}) {
    const address = this.#actions.addressOf(message);
    const response = await fetch(address, { headers: { 'HX-Request': 'true' } }).catch(() => undefined);
    if (!response?.ok) return this.#composer.say((response && textOf(await response.text())) || UNREACHABLE);
    const dialog = showSheet(await response.text());
    dialog.addEventListener('close', () => returnFocus(message.id), { once: true });
    this.#startReply(dialog, message);
    startCopying(dialog, message);
    this.#startPicker(dialog, message);
    for (const form of findAll(dialog, '[data-quiet]', HTMLFormElement))
      form.addEventListener('submit', (event) => this.#submit(event, form, message));
    if (isToCorrect) findOptional(dialog, '#edit-content')?.focus();
    if (part) findOptional(dialog, part)?.scrollIntoView();
  }

  /**
   * @param {HTMLDialogElement} dialog
   * @param {HTMLElement} message
   */
  #startReply(dialog, message) {
    findOptional(dialog, '[data-reply]')?.addEventListener('click', (event) => {
      event.preventDefault();
      dialog.close();
      this.#composer.reply(message);
    });
  }

  /**
   * @param {HTMLDialogElement} dialog
   * @param {HTMLElement} message
   */
  #startPicker(dialog, message) {
    const more = findOptional(dialog, '[data-pick]');
    // Nobody reacts in an archived group.
    if (!more) return;
    more.hidden = false;
    more.addEventListener('click', () => {
      // What stands outside of an open dialog cannot be pressed.
      dialog.close();
      this.#actions.pickReaction(message, message);
    });
    find(dialog, '.other-emoji').hidden = true;
  }

  /**
   * @param {SubmitEvent} event
   * @param {HTMLFormElement} form
   * @param {HTMLElement} message
   */
  async #submit(event, form, message) {
    event.preventDefault();
    const fields = new FormData(form, event.submitter);
    const emoji = fields.get('emoji');
    if (emoji) fields.set('on', this.#actions.wantedState(message, String(emoji)));
    if (form.dataset.confirm && !(await ask(form.dataset.confirm, 'Remove'))) return;
    const refusal = await act(form.action, fields);
    if (!refusal) {
      const { done } = form.dataset;
      if (done) this.#composer.say(done, { isNotice: true });
      return sheet().close();
    }
    // Somebody removed it: there is nothing more to be done with it.
    if (document.getElementById(message.id)?.matches('.is-removed')) sheet().close();
    // Or the question has taken the place of the sheet.
    if (!form.isConnected || !sheet().open) return this.#composer.say(refusal);
    findOptional(sheet(), '.failure')?.remove();
    const line = Object.assign(document.createElement('p'), { className: 'failure', textContent: refusal });
    line.setAttribute('role', 'alert');
    form.before(line);
  }
}

/**
 * What opened the sheet may have been replaced meanwhile, with its message.
 * @param {string} id of the message
 */
function returnFocus(id) {
  const message = document.getElementById(id);
  if (message && isFocusGone(sheet())) focusMessage(message);
}

/**
 * @param {HTMLDialogElement} dialog
 * @param {HTMLElement} message
 */
function startCopying(dialog, message) {
  for (const button of findAll(dialog, '[data-copy]')) {
    const item = button.closest('li');
    if (item) item.hidden = false;
    button.setAttribute('aria-live', 'polite');
    button.addEventListener('click', async () => {
      const text =
        button.dataset.copy === 'link'
          ? find(message, '.permalink', HTMLAnchorElement).href
          : (findOptional(message, '.body, .transcript')?.innerText ?? '');
      button.textContent = (await copy(text, dialog)) ? 'Copied' : 'This browser does not copy';
    });
  }
}
