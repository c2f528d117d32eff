// A link that is to be passed on: copied, or given to the phone's share sheet.
import { copy } from './clipboard.js';
import { find, findAll } from './dom.js';

const SHOWN_MS = 2_000;

export function startShare() {
  for (const section of findAll(document, '[data-share]')) {
    const field = find(section, 'input', HTMLInputElement);
    field.addEventListener('focus', () => field.select());
    startCopy(find(section, '[data-copy]', HTMLButtonElement), field);
    startSheet(find(section, '[data-share-sheet]', HTMLButtonElement), field);
  }
}

/**
 * @param {HTMLButtonElement} button
 * @param {HTMLInputElement} field
 */
function startCopy(button, field) {
  button.hidden = false;
  button.addEventListener('click', async () => {
    const isCopied = await copy(field.value, button);
    button.textContent = isCopied ? 'Copied' : 'Select the link and copy it';
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
