// What was said becomes text in the composer, or goes out as it is.
import { uuid } from './outbox.js';
import { forgetRecording, isKept, keepRecording, keptRecordings } from './recordings.js';

const TRY_AGAIN_MS = 2_000;

/** What is said of a recording by what became of its text. */
const LINES = {
  draft: 'Look it over, then send.',
  unsure: 'Not sure of these words. Look them over, then send.',
  silent: 'Nobody is heard speaking in it.',
  unrecognised: 'It seems to be in another language. It can be sent as it is.',
  failed: 'It could not be transcribed. It can be sent as it is.',
  none: 'No transcript. It can be sent as it is.',
};

/**
 * @param {HTMLUListElement} list the recordings and files that wait for their message
 * @param {{ place: string, accountId: string, insert(text: string): boolean,
 *   send(element: HTMLElement, message: { id: string, replyTo?: number }): void, attachments: object }} composer
 *   `insert` says whether there was a place for the text
 */
export function startDictation(list, { place, accountId, insert, send, attachments }) {
  addEventListener('hearth:transcribed', ({ detail }) => {
    const element = list.querySelector(`[data-file="${CSS.escape(detail.file)}"]`);
    if (element) hear(element, detail.transcript, detail.text);
  });
  // Whatever was written down while nobody was connected.
  function lookAtAll() {
    for (const element of list.querySelectorAll('[data-transcript-state="waiting"]')) look(element);
  }
  lookAtAll();
  for (const name of ['hearth:hello', 'hearth:put-back', 'online']) addEventListener(name, lookAtAll);

  function hear(element, transcript, text) {
    if (element.dataset.transcriptState !== 'waiting') return;
    const line = element.querySelector('[data-transcript-line]');
    const isSentAsItIs = element.querySelector('.with-recording input').checked;
    const hasText = transcript === 'draft' || transcript === 'unsure';
    if (hasText && !isSentAsItIs && !insert(text)) {
      // The field is in use for something else.
      line.textContent = 'Transcribed. The text comes here when you have finished editing.';
      setTimeout(look, TRY_AGAIN_MS, element);
      return;
    }
    element.dataset.transcriptState = transcript;
    if (hasText && isSentAsItIs) line.textContent = 'Transcribed.';
    else line.textContent = LINES[transcript];
    if (!hasText) {
      element.querySelector('.with-recording input').toggleAttribute('checked', true);
    }
    attachments.remember();
  }

  list.addEventListener('change', ({ target }) => {
    if (target.matches('[data-spoken-language]') && target.value)
      transcribeIn(target.closest('[data-file]'), target.value);
  });

  /** Transcribes a recording anew, in a language that was chosen for it; `none` is no text. */
  async function transcribeIn(element, language) {
    const line = element.querySelector('[data-transcript-line]');
    const response = await fetch(`/media/${element.dataset.file}/transcribe`, {
      method: 'POST',
      headers: { 'HX-Request': 'true', 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ language }),
    }).catch(() => undefined);
    if (!response?.ok) {
      line.textContent = 'The language could not be set. Try again.';
      return;
    }
    element.dataset.transcriptState = 'waiting';
    line.textContent = 'Transcribing…';
    look(element);
  }

  async function look(element) {
    const response = await fetch(`/media/${element.dataset.file}/transcript`).catch(() => undefined);
    if (!response?.ok) return;
    const { transcript, text } = await response.json();
    if (transcript !== 'waiting') hear(element, transcript, text);
  }

  /** Brings in what another tab, or this one earlier, has kept: once no other is about to. */
  function bringKept(recording) {
    inTurn(recording.id, async () => (await isKept(recording.id)) && bring(recording));
  }

  // Old browsers without locks may send a recording twice as an upload; as a message it is one, by its id.
  function inTurn(id, work) {
    return navigator.locks ? navigator.locks.request(`recording/${id}`, work) : work();
  }

  function bring({ id, blob, way, replyTo }) {
    return new Promise((done) => {
      const forget = () => forgetRecording(id).then(done);
      attachments.addRecording(blob, {
        isAlone: way === 'message',
        onArrive(element) {
          if (way === 'message') send(element, { id, replyTo });
          // It may have been written down before this arrived.
          else look(element);
          forget();
        },
        onRemove: forget,
      });
    });
  }
  keptRecordings(accountId, place).then((kept) => kept.forEach(bringKept));

  return {
    /** @param {'message' | 'text'} way @param {number} [replyTo] what it answers */
    async take(blob, way, replyTo) {
      const recording = { id: uuid(), accountId, place, blob, way, replyTo, at: Date.now() };
      await keepRecording(recording);
      inTurn(recording.id, () => bring(recording));
    },
  };
}
