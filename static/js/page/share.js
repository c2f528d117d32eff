// A link that is to be passed on: copied, or given to the phone's share sheet.
import { copy } from './clipboard.js';
import { find, findAll } from './dom.js';

const SHOWN_MS = 2_000;

export function startShare() {
  for (const section of findAll(document, '[data-share]')) {
    const field = find(section, 'input', HTMLInputElement);
    field.addEventListener('focus', () => field.select());
    startCopy(find(section, '[data-copy]', HTMLButtonElement), () => field.value);
    startSheet(find(section, '[data-share-sheet]', HTMLButtonElement), field);
  }
  for (const button of findAll(document, '[data-copies]', HTMLButtonElement)) {
    const codes = findAll(find(document, `#${button.dataset.copies}`), 'code');
    startCopy(button, () => codes.map(({ textContent }) => textContent).join('\n'));
  }
}

/**
 * @param {HTMLButtonElement} button
 * @param {() => string} text
 */
function startCopy(button, text) {
  button.hidden = false;
  button.addEventListener('click', async () => {
    const isCopied = await copy(text(), button);
    button.textContent = isCopied ? 'Copied' : 'Select it and copy it';
    setTimeout(() => {
      button.textContent = 'Copy';
    }, SHOWN_MS);
  });
}

/**
 * @param {HTMLButtonElement} button
 * @param {HTMLInputElement} field
 */
function startSheet(button, field) {
  if (typeof navigator.share !== 'function') return;
  button.hidden = false;
  // A sheet that is closed without a choice rejects.
  button.addEventListener('click', () => navigator.share({ url: field.value }).catch(() => {}));
}
