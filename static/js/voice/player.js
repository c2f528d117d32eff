// Plays voice messages, one at a time. Playback survives a re-render of its message; clicking a word seeks to it.
import { act } from '../page/dialog.js';
import { closest, findAll, findOptional } from '../page/dom.js';
import { listen } from '../page/events.js';
import { Playback } from './playback.js';
import { startPlayerView } from './player-view.js';
import { playFromWord, walkWords } from './transcript-words.js';

/** @type {Record<string, number>} */
const STEP_SECONDS = { ArrowLeft: -5, ArrowDown: -5, ArrowRight: 5, ArrowUp: 5 };

/**
 * @param {HTMLElement} root what holds voice messages, now and later
 * @param {string} accountId who listens
 */
export function startPlayers(root, accountId) {
  const playback = new Playback((file) => secondsOf(root, file));
  startPlayerView(root, playback);

  root.addEventListener('click', ({ target }) => {
    const file = fileAround(target);
    if (file && closest(target, '[data-play]')) playback.toggle(file);
    else if (file && closest(target, '[data-speed]')) playback.goFaster();
    const word = closest(target, '[data-second]');
    if (word) playFromWord(word, playback);
  });
  root.addEventListener('input', ({ target }) => {
    const position = closest(target, '[data-position]', HTMLInputElement);
    if (position) playback.seek(fileAround(position), Number(position.value));
  });
  root.addEventListener('keydown', (event) => {
    if (closest(event.target, '[data-position]')) return stepAlong(event, playback);
    const transcript = closest(event.target, '[data-transcript]');
    if (transcript) walkWords(event, transcript, playback);
  });
  root.addEventListener('submit', (event) => transcribe(event));
  listen('transcribing', ({ file, percent }) => {
    for (const bar of findAll(root, `[data-transcribing="${CSS.escape(file)}"]`, HTMLProgressElement))
      bar.value = Number(percent);
  });
  listen('recording', () => playback.pause());
  recordPlayback(root, playback, accountId);
  seekLinkedSecond(playback);
}

/**
 * How long a file is; 0 where none of its players is on the page.
 * @param {HTMLElement} root
 * @param {string} file
 */
function secondsOf(root, file) {
  return Number(findOptional(root, `[data-voice="${CSS.escape(file)}"]`)?.dataset.seconds ?? 0);
}

/** @param {EventTarget | null} target */
function fileAround(target) {
  return closest(target, '[data-voice]')?.dataset.voice ?? '';
}

/**
 * @param {KeyboardEvent} event
 * @param {Playback} playback
 */
function stepAlong(event, playback) {
  const file = fileAround(event.target);
  const step = STEP_SECONDS[event.key];
  if (event.key === ' ') playback.toggle(file);
  else if (step) playback.seek(file, playback.positionOf(file) + step);
  else return;
  event.preventDefault();
}

/** @param {SubmitEvent} event */
async function transcribe(event) {
  const form = closest(event.target, '[data-transcribe]', HTMLFormElement);
  if (!form) return;
  event.preventDefault();
  const refusal = await act(form.action, {});
  const button = findOptional(form, 'button');
  if (refusal && button) button.textContent = refusal;
}

/**
 * Tells the server once a page; it knows who has played it before.
 * @param {HTMLElement} root
 * @param {Playback} playback
 * @param {string} accountId
 */
function recordPlayback(root, playback, accountId) {
  const toldFiles = new Set();
  const groupId = findOptional(document, '[data-conversation]')?.dataset.conversation;
  playback.onPlay(async (file) => {
    const player = findOptional(root, `[data-voice="${CSS.escape(file)}"]`);
    const message = closest(player, '.message[data-seq]');
    if (!message || !groupId || message.dataset.authorId === accountId || toldFiles.has(file)) return;
    toldFiles.add(file);
    if (await act(`/groups/${groupId}/messages/${message.dataset.seq}/heard`, {})) toldFiles.delete(file);
  });
}

/**
 * Seeks to the second in the `at` parameter, which links from search results have.
 * @param {Playback} playback
 */
function seekLinkedSecond(playback) {
  const second = Number(new URLSearchParams(location.search).get('at'));
  const target = second > 0 && location.hash ? document.getElementById(location.hash.slice(1)) : null;
  const file = target && findOptional(target, '[data-voice]')?.dataset.voice;
  if (file) playback.seek(file, second);
}
