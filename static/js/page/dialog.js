// The one dialog of a page: a sheet of acts, or a question. A sheet at the foot of a phone, a card on a desk.
import { find, textOf } from './dom.js';

const UNREACHABLE = 'There is no connection. Try again when it is back.';

/**
 * Shows rendered HTML. Closes with Escape, with a press beside it, and with `close`.
 * @param {string} html
 */
export function showSheet(html) {
  const dialog = sheet();
  dialog.innerHTML = html;
  if (!dialog.open) dialog.showModal();
  // Its result is nothing: a handler that gives back false would keep forms from being sent.
  dialog.onclick = (event) => {
    if (event.target === dialog) dialog.close();
  };
  return dialog;
}

export function sheet() {
  return find(document, '#sheet', HTMLDialogElement);
}

/**
 * Asks; resolves to whether the answer was yes.
 * @param {string} sentence
 * @param {string} yes what the button says
 * @returns {Promise<boolean>}
 */
export function ask(sentence, yes) {
  const dialog = showSheet('<form method="dialog" class="question"><p></p><p class="answers"></p></form>');
  find(dialog, 'p').textContent = sentence;
  find(dialog, '.answers').append(
    answerButton('Cancel', 'no', 'button quiet'),
    answerButton(yes, 'yes', 'button'),
  );
  dialog.returnValue = 'no';
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}

/**
 * @param {string} textContent
 * @param {string} value
 * @param {string} className
 */
function answerButton(textContent, value, className) {
  return Object.assign(document.createElement('button'), { textContent, value, className });
}

/**
 * Sends a form's act. Resolves to the sentence of a refusal, or to nothing.
 * @param {string} address
 * @param {Record<string, string> | FormData} fields
 * @returns {Promise<string | undefined>}
 */
export async function act(address, fields) {
  // A form of acts has no files.
  const body = new URLSearchParams(/** @type {Record<string, string>} */ (fields));
  try {
    const response = await fetch(address, { method: 'POST', body, headers: { 'HX-Request': 'true' } });
    if (response.ok) return undefined;
    return textOf(await response.text()) || 'That could not be done. Try again in a moment.';
  } catch {
    return UNREACHABLE;
  }
}
