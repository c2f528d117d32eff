// Voice messages: one sounds at a time. It goes on while its message is drawn anew, and a word leads to its second.
import { act } from './dialog.js';
import { browserStorage } from './storage.js';

const SPEEDS = [1, 1.25, 1.5, 1.75, 2];
const SPEED_KEY = 'voice-speed';
const STEP_SECONDS = 5;

/** @param {ParentNode & EventTarget} root what holds voice messages, now and later */
export function startPlayers(root, accountId) {
  const audio = new Audio();
  audio.preload = 'none';
  /** The file that sounds, or stands still in the middle. */
  let current;
  let frame;
  /** Where others stand that were moved before they were played. */
  const positions = new Map();
  const told = new Set();
  let speed = Number(browserStorage.get(SPEED_KEY)) || 1;

  const playersOf = (file) => root.querySelectorAll(`[data-voice="${CSS.escape(file)}"]`);
  const secondsOf = (player) => Number(player.dataset.seconds);
  const positionOf = (file) => (file === current ? audio.currentTime : (positions.get(file) ?? 0));

  root.addEventListener('click', (event) => {
    const player = event.target.closest('[data-voice]');
    if (player && event.target.closest('[data-play]')) toggle(player.dataset.voice);
    else if (player && event.target.closest('[data-speed]')) faster();
    else if (event.target.matches('[data-second]')) playWord(event.target);
  });
  root.addEventListener('input', (event) => {
    if (!event.target.matches('[data-position]')) return;
    seek(event.target.closest('[data-voice]').dataset.voice, Number(event.target.value));
  });
  root.addEventListener('keydown', (event) => {
    if (event.target.matches('[data-position]')) return stepAlong(event);
    const transcript = event.target.closest('[data-transcript]');
    if (transcript) walkWords(event, transcript);
  });
  root.addEventListener('submit', async (event) => {
    if (!event.target.matches('[data-transcribe]')) return;
    event.preventDefault();
    const refusal = await act(event.target.action, {});
    if (refusal) event.target.querySelector('button').textContent = refusal;
  });

  function stepAlong(event) {
    const { voice } = event.target.closest('[data-voice]').dataset;
    const step = {
      ArrowLeft: -STEP_SECONDS,
      ArrowDown: -STEP_SECONDS,
      ArrowRight: STEP_SECONDS,
      ArrowUp: STEP_SECONDS,
    };
    if (event.key === ' ') toggle(voice);
    else if (step[event.key]) seek(voice, positionOf(voice) + step[event.key]);
    else return;
    event.preventDefault();
  }

  /** Arrow keys go from word to word of a transcript, Enter plays from one (a roving focus, as in a toolbar). */
  function walkWords(event, transcript) {
    const words = [...transcript.querySelectorAll('[data-second]')];
    const at = words.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: words.length - 1 }[event.key];
    const isPressed = event.key === 'Enter' || event.key === ' ';
    if (isPressed && words[at]) playWord(words[at]);
    else if (to === undefined) return;
    else {
      const word = words[Math.max(0, Math.min(words.length - 1, to))];
      word?.setAttribute('role', 'button');
      word?.setAttribute('tabindex', '-1');
      word?.focus();
    }
    event.preventDefault();
  }

  function playWord(word) {
    const { transcript } = word.closest('[data-transcript]').dataset;
    seek(transcript, Number(word.dataset.second));
    play(transcript);
  }

  function toggle(file) {
    if (file === current && !audio.paused) audio.pause();
    else play(file);
  }

  function play(file) {
    take(file);
    audio.playbackRate = speed;
    say(file, '');
    audio.play().catch((error) => {
      // Somebody was faster: paused, or played another one.
      if (error.name !== 'AbortError')
        say(file, 'It cannot be played now. Try again when the connection is back.');
    });
    recordPlayback(file);
  }

  /** Makes a file the one that sounds, at the place where it stood. */
  function take(file) {
    if (file === current) return;
    if (current) positions.set(current, audio.currentTime);
    const before = current;
    current = file;
    audio.src = `/media/${file}`;
    audio.currentTime = positions.get(file) ?? 0;
    // Some browsers know no place before they know the length.
    audio.onloadedmetadata = () => {
      const wanted = positions.get(file) ?? 0;
      if (Math.abs(audio.currentTime - wanted) > 0.3) audio.currentTime = wanted;
      audio.onloadedmetadata = null;
    };
    if (before) show(before);
  }

  function seek(file, seconds) {
    const [player] = playersOf(file);
    const to = Math.max(0, Math.min(seconds, player ? secondsOf(player) - 0.05 : seconds));
    positions.set(file, to);
    if (file === current) audio.currentTime = to;
    show(file);
  }

  function faster() {
    speed = SPEEDS[(SPEEDS.indexOf(speed) + 1) % SPEEDS.length];
    browserStorage.set(SPEED_KEY, String(speed));
    audio.playbackRate = speed;
    for (const player of root.querySelectorAll('[data-voice]')) showSpeed(player);
  }

  for (const name of ['play', 'pause', 'seeked'])
    audio.addEventListener(name, () => {
      if (current) show(current);
    });
  audio.addEventListener('play', follow);
  audio.addEventListener('ended', () => {
    audio.currentTime = 0;
    if (current) show(current);
  });
  audio.addEventListener('error', () => current && say(current, 'It cannot be played here.'));

  function follow() {
    cancelAnimationFrame(frame);
    if (current) show(current);
    if (!audio.paused) frame = requestAnimationFrame(follow);
  }

  function show(file) {
    const at = positionOf(file);
    const isPlaying = file === current && !audio.paused;
    for (const player of playersOf(file)) {
      const seconds = secondsOf(player);
      const button = player.querySelector('[data-play]');
      player.classList.toggle('is-playing', isPlaying);
      button.setAttribute('aria-label', isPlaying ? 'Pause' : 'Play');
      const position = player.querySelector('[data-position]');
      position.value = at;
      position.setAttribute('aria-valuetext', `${clock(at)} of ${clock(seconds)}`);
      player.querySelector('.wave').style.setProperty('--played', String(at / seconds));
      // Sixty times a second nothing is written that stands there already.
      const time = player.querySelector('[data-time]');
      const shown = clock(at > 0 ? at : seconds);
      if (time.textContent !== shown) time.textContent = shown;
    }
    for (const transcript of root.querySelectorAll(`[data-transcript="${CSS.escape(file)}"]`)) {
      const words = [...transcript.querySelectorAll('[data-second]')];
      const said = at > 0 ? words.findLast((word) => Number(word.dataset.second) <= at + 0.05) : undefined;
      for (const word of words) word.classList.toggle('is-said', word === said);
      // What is said is shown, also in the part that was folded.
      said?.closest('details')?.setAttribute('open', '');
    }
  }

  function showSpeed(player) {
    const button = player.querySelector('[data-speed]');
    button.textContent = `${speed}×`;
    button.setAttribute('aria-label', `Speed: ${speed}×`);
  }

  function say(file, sentence) {
    for (const player of playersOf(file)) player.querySelector('[data-note]').textContent = sentence;
  }

  /** Once a page; the server knows who has heard it before. */
  function recordPlayback(file) {
    const message = playersOf(file)[0]?.closest('.message[data-seq]');
    const conversation = document.querySelector('[data-conversation]');
    if (!message || !conversation || message.dataset.authorId === accountId || told.has(file)) return;
    told.add(file);
    act(`/groups/${conversation.dataset.conversation}/messages/${message.dataset.seq}/heard`, {}).then(
      (refusal) => refusal && told.delete(file),
    );
  }

  /** What was drawn, or drawn anew, stands where it stood. */
  function dress() {
    if (current && !audio.paused && playersOf(current).length === 0) audio.pause();
    for (const transcript of root.querySelectorAll('[data-transcript]:not([tabindex])')) {
      transcript.tabIndex = 0;
      transcript.setAttribute('role', 'group');
      transcript.setAttribute('aria-label', 'Transcript. Arrow keys choose a word, Enter plays from it.');
    }
    for (const player of root.querySelectorAll('[data-voice]:has(audio)')) {
      player.querySelector('audio').remove();
      showSpeed(player);
      if (positionOf(player.dataset.voice) > 0 || player.dataset.voice === current)
        show(player.dataset.voice);
    }
  }
  new MutationObserver(dress).observe(root, { childList: true, subtree: true });
  dress();

  addEventListener('hearth:transcribing', ({ detail: { file, percent } }) => {
    for (const bar of root.querySelectorAll(`[data-transcribing="${CSS.escape(file)}"]`)) bar.value = percent;
  });

  addEventListener('hearth:recording', () => audio.pause());

  // A hit of the search leads to the second at which it is said.
  const at = Number(new URLSearchParams(location.search).get('at'));
  const target = at > 0 && location.hash ? document.getElementById(location.hash.slice(1)) : undefined;
  const player = target?.querySelector('[data-voice]');
  if (player) seek(player.dataset.voice, at);
}

export function clock(seconds) {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
