import { closest, findAll } from '../page/dom.js';

/** @typedef {import('./playback.js').Playback} Playback */

/**
 * Arrow keys go from word to word of a transcript, Enter plays from one (a roving focus, as in a toolbar).
 * @param {KeyboardEvent} event
 * @param {HTMLElement} transcript
 * @param {Playback} playback
 */
export function walkWords(event, transcript, playback) {
  const words = findAll(transcript, '[data-second]');
  const at = words.findIndex((word) => word.matches(':focus'));
  const focused = words[at];
  const isPressed = event.key === 'Enter' || event.key === ' ';
  const to = targetOf(event.key, at, words.length);
  if (isPressed && focused) playFromWord(focused, playback);
  else if (to === undefined) return;
  else {
    const word = words[Math.max(0, Math.min(words.length - 1, to))];
    word?.setAttribute('role', 'button');
    word?.setAttribute('tabindex', '-1');
    word?.focus();
  }
  event.preventDefault();
}

/**
 * @param {HTMLElement} word of a transcript
 * @param {Playback} playback
 */
export function playFromWord(word, playback) {
  const file = closest(word, '[data-transcript]')?.dataset.transcript;
  if (!file) return;
  playback.seek(file, Number(word.dataset.second));
  playback.play(file);
}

/**
 * The index of the word that a key leads to.
 * @param {string} key
 * @param {number} at
 * @param {number} count
 */
function targetOf(key, at, count) {
  if (key === 'ArrowRight') return at + 1;
  if (key === 'ArrowLeft') return at - 1;
  if (key === 'Home') return 0;
  return key === 'End' ? count - 1 : undefined;
}
