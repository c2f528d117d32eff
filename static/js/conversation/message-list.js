// The messages on the page, in their order, as they come in, change and go.
import { localiseTimes, separateDays, separateLast } from '../page/days.js';
import { find, findAll, findOptional } from '../page/dom.js';
import { announce } from '../page/events.js';
import { markOwn } from './own.js';
import { removeQuotes, renewQuotes } from './quotes.js';

const MESSAGES = ':scope > .message';
/** Notices, such as of who has joined, are not history: the oldest give way to a new one. */
const MAX_NOTICES = 20;
/** As on the server (`src/messages/present.ts`): messages of one author within this time stand under one name. */
const GROUPING_MS = 5 * 60_000;
/** Elements to which the focus returns after their message is replaced. */
const FOCUSED_PARTS = ['[data-play]', '[data-position]', '[data-speed]', '[data-transcript]', 'summary'];

/**
 * @typedef {object} Options
 * @property {string} accountId who looks at it
 * @property {import('./scroll-position.js').ScrollPosition} scroll
 * @property {(element: HTMLElement, wasPending: boolean, isNew: boolean) => boolean} isShown whether a message that is
 *   not on the page belongs here
 * @property {(element: HTMLElement) => void} onAdd
 */

export class MessageList {
  #list;
  #pendingList;
  #isNewest;
  /** The first message of the thread that is open, which stays as long as it has answers. */
  #thread;
  /** The seq of the newest message that there was when the page was made, whether or not it is on it. */
  #lastSeq;
  #options;

  /**
   * @param {HTMLElement} section
   * @param {Options} options
   */
  constructor(section, options) {
    this.#list = find(section, '#messages');
    this.#pendingList = find(section, '[data-pending]');
    this.#isNewest = section.dataset.isNewest === 'true';
    this.#thread = section.dataset.thread;
    this.#lastSeq = Number(section.dataset.lastSeq);
    this.#options = options;
  }

  /**
   * Inserts a message in order, or replaces its earlier version.
   * @param {HTMLElement} element
   */
  show(element) {
    const { accountId, isShown, onAdd } = this.#options;
    localiseTimes(element);
    markOwn(element, accountId);
    renewQuotes(this.#list, element);
    const pending = findOptional(this.#pendingList, `[data-id="${CSS.escape(element.dataset.id ?? '')}"]`);
    pending?.remove();
    const { seq = '' } = element.dataset;
    if (element.matches('.is-removed')) announce('removed', { seq });
    const isNew = Number(seq) > this.#lastSeq;
    const old = document.getElementById(element.id);
    if (old) {
      if (Number(old.dataset.change) < Number(element.dataset.change)) this.#replace(old, element);
      return;
    }
    // It comes with the older messages, when they are asked for; of a long thread, the oldest replies are not.
    if (this.#isBeforeLoaded(element) || (this.#thread && !isNew)) return;
    if (!isShown(element, pending !== undefined, isNew)) return;
    this.#insert(element);
    onAdd(element);
  }

  /** @param {HTMLElement} element */
  #isBeforeLoaded(element) {
    const first = findOptional(this.#list, MESSAGES);
    const hasOlder = findOptional(this.#list, '.older a') !== undefined;
    return hasOlder && first !== undefined && Number(element.dataset.seq) < Number(first.dataset.seq);
  }

  /**
   * Takes away messages that are no longer kept, and quotes of them.
   * @param {number} seq of the newest of them
   */
  removeUpTo(seq) {
    for (const message of findAll(this.#list, '.message')) {
      if (Number(message.dataset.seq) > seq || message.dataset.seq === this.#thread) continue;
      message.remove();
      announce('removed', { seq: message.dataset.seq ?? '' });
    }
    separateDays(this.#list);
    removeQuotes(this.#list, seq);
  }

  /** @param {HTMLElement} element such as "Mina has joined" */
  addNotice(element) {
    if (!this.#isNewest || element.dataset.accountId === this.#options.accountId) return;
    this.#options.scroll.keep(
      () => {
        this.#list.append(element);
        const notices = findAll(this.#list, '.notice');
        if (notices.length > MAX_NOTICES) notices[0]?.remove();
      },
      { isMessage: false },
    );
  }

  /** @param {HTMLElement} element */
  #insert(element) {
    const list = this.#list;
    const seq = Number(element.dataset.seq);
    const messages = findAll(list, MESSAGES);
    const next = messages.find((message) => Number(message.dataset.seq) > seq);
    const previous = messages.findLast((message) => Number(message.dataset.seq) < seq);
    this.#options.scroll.keep(() => {
      if (next) {
        list.insertBefore(element, previous ? previous.nextElementSibling : next);
        separateDays(list);
      } else {
        list.append(element);
        separateLast(list, element);
      }
      this.#groupByAuthor(element);
    });
  }

  /**
   * What was pushed is grouped with the message before it in the conversation; in a thread, others stand above it.
   * @param {HTMLElement} element
   */
  #groupByAuthor(element) {
    if (!this.#thread) return;
    const messages = findAll(this.#list, MESSAGES);
    const previous = messages[messages.indexOf(element) - 1];
    const isContinued =
      previous !== undefined &&
      previous.dataset.authorId === element.dataset.authorId &&
      timeOf(element) - timeOf(previous) < GROUPING_MS;
    element.classList.toggle('is-continued', isContinued);
  }

  /**
   * Replaces a message, and keeps the scroll position and the focus within it.
   * @param {HTMLElement} old
   * @param {HTMLElement} element
   */
  #replace(old, element) {
    const focused = document.activeElement;
    const hadFocus = focused !== null && old.contains(focused);
    let part = FOCUSED_PARTS.find((selector) => focused?.matches(selector)) ?? '.more';
    if (focused instanceof HTMLButtonElement && focused.matches('.reaction'))
      part = `[value="${CSS.escape(focused.value)}"]`;
    const address = focused?.getAttribute('href');
    if (address) part = `[href="${CSS.escape(address)}"]`;
    const openParts = findAll(old, 'details', HTMLDetailsElement).map(({ open }) => open);
    for (const [index, details] of findAll(element, 'details', HTMLDetailsElement).entries())
      details.open ||= openParts[index] ?? false;
    const replace = () => {
      old.replaceWith(element);
      keepMedia(old, element);
      this.#groupByAuthor(element);
    };
    this.#options.scroll.keep(replace, { isMessage: false });
    if (!hadFocus) return;
    const same = findOptional(element, part);
    if (same) same.focus({ preventScroll: true });
    else focusMessage(element);
  }
}

/**
 * Sound and film that play go on: what is put back within one task is not stopped.
 * @param {HTMLElement} old
 * @param {HTMLElement} element that has taken its place in this task
 */
function keepMedia(old, element) {
  const inNew = findAll(element, 'audio, video', HTMLMediaElement);
  for (const media of findAll(old, 'audio, video', HTMLMediaElement))
    inNew.find((same) => same.src === media.src)?.replaceWith(media);
}

/** @param {HTMLElement} message */
function timeOf(message) {
  return Date.parse(message.dataset.at ?? '');
}

/**
 * Focuses a message: what opens its acts, or, where nothing can be done with it, the message itself.
 * @param {HTMLElement} message
 */
export function focusMessage(message) {
  const more = findOptional(message, '.more');
  if (!more) message.tabIndex = -1;
  (more ?? message).focus({ preventScroll: true });
}
