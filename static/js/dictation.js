// What was said becomes text in the composer, or goes out as it is.
import { uuid } from './outbox.js';
import { forgetRecording, keepRecording, keptRecordings } from './recordings.js';

/**
 * @param {HTMLUListElement} list the recordings and files that wait for their message
 * @param {{ place: string, accountId: string, insert(text: string): void,
 *   send(element: HTMLElement, id: string): void, attachments: object }} composer
 */
export function startDictation(list, { place, accountId, insert, send, attachments }) {
  addEventListener('hearth:transcribed', ({ detail }) => {
    const element = list.querySelector(`[data-file="${CSS.escape(detail.file)}"]`);
    if (element) hear(element, detail.transcript, detail.text);
  });
  // Whatever was written down while nobody was connected.
  for (const element of list.querySelectorAll('[data-transcript-state="waiting"]')) look(element);

  function hear(element, transcript, text) {
    if (element.dataset.transcriptState !== 'waiting') return;
    element.dataset.transcriptState = transcript;
    const line = element.querySelector('[data-transcript-line]');
    if (transcript === 'draft') {
      line.textContent = 'Look it over, then send.';
      insert(text);
    } else {
      line.textContent =
        transcript === 'silent'
          ? 'Nobody is heard speaking in it.'
          : 'It could not be written down. It can be sent as it is.';
      element.querySelector('.with-recording input').checked = true;
    }
    attachments.remember();
  }

  async function look(element) {
    const response = await fetch(`/media/${element.dataset.file}/transcript`).catch(() => undefined);
    if (!response?.ok) return;
    const { transcript, text } = await response.json();
    if (transcript !== 'waiting') hear(element, transcript, text);
  }

  /** Brings in what is kept, unless another tab is about to. */
  function bring({ id, blob, way }) {
    navigator.locks.request(`recording/${id}`, { ifAvailable: true }, (lock) => {
      if (!lock) return undefined;
      return new Promise((done) => {
        const forget = () => forgetRecording(id).then(done);
        attachments.addRecording(blob, {
          onArrive(element) {
            if (way === 'message') send(element, id);
            // It may have been written down before this arrived.
            else look(element);
            forget();
          },
          onRemove: forget,
        });
      });
    });
  }
  keptRecordings(accountId, place).then((kept) => kept.forEach(bring));

  return {
    /** @param {'message' | 'text'} way */
    async take(blob, way) {
      const recording = { id: uuid(), accountId, place, blob, way, at: Date.now() };
      await keepRecording(recording);
      bring(recording);
    },
  };
}
