// Draws the players of voice messages, and the word that is said in their transcripts.
import { find, findAll } from '../page/dom.js';
import { clock } from './clock.js';

/** A word is shown this much before it is said. */
const EARLY_SECONDS = 0.05;

/**
 * @param {HTMLElement} root what holds voice messages, now and later
 * @param {import('./playback.js').Playback} playback
 */
export function startPlayerView(root, playback) {
  /** @param {string} file */
  const playersOf = (file) => findAll(root, `[data-voice="${CSS.escape(file)}"]`);

  /** @param {string} file */
  function draw(file) {
    for (const player of playersOf(file)) drawPlayer(player, playback);
    for (const transcript of findAll(root, `[data-transcript="${CSS.escape(file)}"]`))
      markWord(transcript, playback.positionOf(file));
  }

  playback.show({
    onChange: draw,
    onSpeed: () => {
      for (const player of findAll(root, '[data-voice]')) drawSpeed(player, playback.speed);
    },
    onNote: (file, sentence) => {
      for (const player of playersOf(file)) find(player, '[data-note]').textContent = sentence;
    },
  });

  /** Sets up players and transcripts that were added to the page, and restores their position. */
  function adopt() {
    const { current } = playback;
    if (current && playback.isPlaying(current) && playersOf(current).length === 0) playback.pause();
    for (const transcript of findAll(root, '[data-transcript]:not([tabindex])')) adoptTranscript(transcript);
    for (const player of findAll(root, '[data-voice]:has(audio)')) {
      const { voice = '' } = player.dataset;
      find(player, 'audio').remove();
      drawSpeed(player, playback.speed);
      if (playback.positionOf(voice) > 0 || voice === current) draw(voice);
    }
  }
  new MutationObserver(adopt).observe(root, { childList: true, subtree: true });
  adopt();
}

/** @param {HTMLElement} transcript */
function adoptTranscript(transcript) {
  transcript.tabIndex = 0;
  transcript.setAttribute('role', 'group');
  transcript.setAttribute('aria-label', 'Transcript. Arrow keys choose a word, Enter plays from it.');
}

/**
 * @param {HTMLElement} player
 * @param {import('./playback.js').Playback} playback
 */
function drawPlayer(player, playback) {
  const file = player.dataset.voice ?? '';
  const seconds = Number(player.dataset.seconds);
  const at = playback.positionOf(file);
  const isPlaying = playback.isPlaying(file);
  player.classList.toggle('is-playing', isPlaying);
  find(player, '[data-play]').setAttribute('aria-label', isPlaying ? 'Pause' : 'Play');
  const position = find(player, '[data-position]', HTMLInputElement);
  position.value = String(at);
  position.setAttribute('aria-valuetext', `${clock(at)} of ${clock(seconds)}`);
  find(player, '.wave').style.setProperty('--played', String(at / seconds));
  // This runs on every animation frame: do not write text that has not changed.
  const time = find(player, '[data-time]');
  const shown = clock(at > 0 ? at : seconds);
  if (time.textContent !== shown) time.textContent = shown;
}

/**
 * @param {HTMLElement} player
 * @param {number} speed
 */
function drawSpeed(player, speed) {
  const button = find(player, '[data-speed]');
  button.textContent = `${speed}×`;
  button.setAttribute('aria-label', `Speed: ${speed}×`);
}

/**
 * @param {HTMLElement} transcript
 * @param {number} at in seconds
 */
function markWord(transcript, at) {
  const words = findAll(transcript, '[data-second]');
  const said =
    at > 0 ? words.findLast((word) => Number(word.dataset.second) <= at + EARLY_SECONDS) : undefined;
  for (const word of words) word.classList.toggle('is-said', word === said);
  // What is said is shown, also in the part that was folded.
  said?.closest('details')?.setAttribute('open', '');
}
