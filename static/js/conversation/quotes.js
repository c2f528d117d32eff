import { closest, findAll } from '../page/dom.js';

const EXCERPT_CHARACTERS = 140;

/**
 * Quotes of a message say what it says now.
 * @param {HTMLElement} list
 * @param {HTMLElement} message
 */
export function renewQuotes(list, message) {
  for (const quote of findAll(list, `[data-quote="${message.dataset.seq}"]`)) {
    const author = quote.querySelector('.quoted-author') ?? '';
    const excerpt = document.createElement('bdi');
    excerpt.textContent = excerptOf(message);
    quote.replaceChildren(author, ' ', excerpt);
  }
}

/**
 * Quotes of messages that are no longer kept go. The first message of a thread is kept as long as it has answers.
 * @param {HTMLElement} list
 * @param {number} seq of the newest that is not kept
 */
export function removeQuotes(list, seq) {
  for (const quote of findAll(list, '[data-quote]')) {
    const isOfThread = quote.dataset.quote === closest(quote, '.message')?.dataset.thread;
    if (Number(quote.dataset.quote) <= seq && !isOfThread) quote.remove();
  }
}

/**
 * The beginning of a message on one line; the names of its files where it has no words.
 * @param {HTMLElement} message
 */
export function excerptOf(message) {
  const text = message.querySelector('.removed, .body')?.textContent ?? fileNames(message);
  // Split by code point, so that no surrogate pair is cut in half.
  const characters = [...text.trim().replace(/\s+/g, ' ')];
  return characters.length > EXCERPT_CHARACTERS
    ? `${characters.slice(0, EXCERPT_CHARACTERS).join('')}…`
    : characters.join('');
}

/** @param {HTMLElement} message */
function fileNames(message) {
  const names = findAll(message, '.file-name, figcaption a').map((name) => name.textContent ?? '');
  const pictures = findAll(message, '.files img', HTMLImageElement).map((picture) => picture.alt);
  const voice = message.querySelector('.voice-player')?.getAttribute('aria-label');
  return [...names, ...pictures, ...(voice ? [voice] : [])].join(', ');
}
