// What was said becomes text in the composer, or goes out as it is.

/**
 * @param {HTMLUListElement} list the recordings and files that wait for their message
 * @param {{ insert(text: string): void, send(element: HTMLElement): void, attachments: object }} composer
 */
export function startDictation(list, { insert, send, attachments }) {
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

  return {
    /** @param {'message' | 'text'} way */
    take(blob, way) {
      attachments.addRecording(blob, (element) => {
        if (way === 'message') return send(element);
        // It may have been written down before this arrived.
        look(element);
      });
    },
  };
}
