// What is done with a message: a bar that follows the pointer and the focus, a sheet with the rest.

import { pickEmoji } from '../emoji.js';
import { act } from '../page/dialog.js';
import { closest, copyTemplate, find, findOptional } from '../page/dom.js';
import { goToMessage } from './kept-place.js';
import { MessageSheet } from './message-sheet.js';
import { hasReacted } from './own.js';

const LONG_PRESS_MS = 500;

/**
 * @typedef {object} Composer what the acts on messages need of it
 * @property {(message: HTMLElement) => void} reply
 * @property {(message: HTMLElement) => Promise<void>} edit
 * @property {(sentence: string, options?: { isNotice?: boolean }) => void} say
 */

export class Actions {
  #list;
  #groupId;
  #composer;
  #accountId;
  #sheet;
  #bar = copyTemplate('message-actions');

  /**
   * @param {HTMLElement} list
   * @param {string} groupId
   * @param {Composer} composer
   * @param {string} accountId
   */
  constructor(list, groupId, composer, accountId) {
    this.#list = list;
    this.#groupId = groupId;
    this.#composer = composer;
    this.#accountId = accountId;
    this.#sheet = new MessageSheet(this, composer);
    this.#startBar();
    this.#startLinks();
    this.#startLongPress();
    list.addEventListener('submit', (event) => {
      const form = closest(event.target, '[data-reactions]');
      const message = form && closest(form, '.message');
      if (!message || !(event.submitter instanceof HTMLButtonElement)) return;
      event.preventDefault();
      this.react(message, event.submitter.value);
    });
  }

  /** @param {HTMLElement} message */
  addressOf(message) {
    return `/groups/${this.#groupId}/messages/${message.dataset.seq}`;
  }

  /**
   * @param {HTMLElement} message
   * @param {string} emoji
   */
  async react(message, emoji) {
    const on = this.wantedState(message, emoji);
    const refusal = await act(`${this.addressOf(message)}/reactions`, { emoji, on });
    if (refusal) this.#composer.say(refusal);
  }

  /**
   * @param {HTMLElement} anchor
   * @param {HTMLElement} message
   */
  pickReaction(anchor, message) {
    pickEmoji(
      anchor,
      (emoji) => this.react(message, emoji),
      (sentence) => this.#composer.say(sentence),
    );
  }

  /**
   * The reaction state to request. Sending a state instead of a toggle makes the request idempotent.
   * @param {HTMLElement} message
   * @param {string} emoji
   */
  wantedState(message, emoji) {
    const pill = findOptional(message, `.reaction[value="${CSS.escape(emoji)}"]`);
    return pill && hasReacted(pill, this.#accountId) ? 'no' : 'yes';
  }

  #startBar() {
    if (matchMedia('(hover: hover)').matches)
      for (const name of ['pointerover', 'focusin'])
        this.#list.addEventListener(name, (event) => this.#showBar(closest(event.target, '.message')));
    this.#bar.addEventListener('click', (event) => {
      const message = closest(this.#bar, '.message');
      const button = closest(event.target, '[data-action]');
      if (!button || !message) return;
      const { action } = button.dataset;
      if (action === 'reply') this.#composer.reply(message);
      else if (action === 'edit') this.#composer.edit(message);
      else if (action === 'more') this.#sheet.open(message);
      else this.pickReaction(button, message);
    });
  }

  /** @param {HTMLElement | undefined} message */
  #showBar(message) {
    if (!isThere(message) || this.#bar.parentElement === message) return;
    const isOwnText = message.dataset.authorId === this.#accountId && !message.querySelector('.voice');
    find(this.#bar, '[data-action="edit"]').hidden = !isOwnText;
    message.append(this.#bar);
  }

  #startLinks() {
    this.#list.addEventListener('click', (event) => {
      const quote = closest(event.target, '.quote');
      const quoted = quote && document.getElementById(`message-${quote.dataset.quote}`);
      if (quoted) {
        // It is on the page already.
        event.preventDefault();
        return goToMessage(closest(this.#list, '[data-scroller]') ?? this.#list, quoted);
      }
      const link = closest(event.target, '[data-more], .edited, [data-correct]');
      const message = link && closest(link, '.message');
      if (!message) return;
      event.preventDefault();
      if (link.matches('.edited')) this.#sheet.open(message, { part: '#versions' });
      else this.#sheet.open(message, { isToCorrect: link.matches('[data-correct]') });
    });
  }

  #startLongPress() {
    /** @type {number | undefined} */
    let timer;
    this.#list.addEventListener('pointerdown', (event) => {
      const message = closest(event.target, '.message');
      if (event.pointerType === 'touch' && isThere(message))
        timer = setTimeout(() => this.#sheet.open(message), LONG_PRESS_MS);
    });
    for (const name of ['pointerup', 'pointercancel', 'pointermove'])
      this.#list.addEventListener(name, () => clearTimeout(timer), { passive: true });
  }
}

/**
 * @param {HTMLElement | undefined} message
 * @returns {message is HTMLElement}
 */
function isThere(message) {
  return message !== undefined && !message.matches('.is-removed, .is-pending');
}
