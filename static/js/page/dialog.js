// The one dialog of a page: a sheet of acts, or a question. A sheet at the foot of a phone, a card on a desk.
import { localiseTimes } from './days.js';
import { find, findOptional, textOf } from './dom.js';
import { ownHeaders } from './request.js';

/** Shown when the server cannot be reached. */
export const UNREACHABLE = 'There is no connection. Try again when it is back.';

/**
 * Shows rendered HTML. Closes with Escape, with a press beside it, and with `close`.
 * @param {string} html
 */
export function showSheet(html) {
  const dialog = sheet();
  dialog.innerHTML = html;
  localiseTimes(dialog);
  const title = findOptional(dialog, 'h2') ?? findOptional(dialog, 'p');
  if (title) title.id ||= 'sheet-title';
  dialog.setAttribute('aria-labelledby', title?.id ?? '');
  if (!dialog.open) dialog.showModal();
  // What had the focus in an open one is gone with its content.
  else findOptional(dialog, 'a[href], button:not([hidden]), input, textarea')?.focus();
  // Text that is selected may end beside the dialog: what counts is where the press began.
  let isBeside = false;
  dialog.onpointerdown = (event) => {
    isBeside = event.target === dialog;
  };
  // A block body, so that nothing is returned: a handler that returns false would block form submission.
  dialog.onclick = (event) => {
    if (event.target === dialog && isBeside) dialog.close();
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
  const cancel = answerButton('Cancel', 'no', 'button quiet');
  find(dialog, '.answers').append(cancel, answerButton(yes, 'yes', 'button'));
  // The dialog was opened before it had a button.
  cancel.focus();
  dialog.returnValue = 'no';
  return new Promise((resolve) => {
    const onClose = () => {
      // What was open a moment ago has closed.
      if (dialog.open) return;
      dialog.removeEventListener('close', onClose);
      resolve(dialog.returnValue === 'yes');
    };
    dialog.addEventListener('close', onClose);
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
 * Posts the fields of a form. Resolves to an error message, or to undefined on success.
 * @param {string} address
 * @param {Record<string, string> | FormData} fields
 * @returns {Promise<string | undefined>}
 */
export async function act(address, fields) {
  // These forms have no file inputs, so that every value is a string.
  const body = new URLSearchParams(/** @type {Record<string, string>} */ (fields));
  try {
    const response = await fetch(address, { method: 'POST', body, headers: ownHeaders() });
    if (response.ok) return undefined;
    return textOf(await response.text()) || 'That could not be done. Try again in a moment.';
  } catch {
    return UNREACHABLE;
  }
}
