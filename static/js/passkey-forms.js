import { find, findAll, findOptional } from './page/dom.js';

/** Forms that a passkey fills in. They are shown where the browser has passkeys. */
export function startPasskeys() {
  // Browsers have passkeys for names, not for addresses.
  const isAddress = /^[\d.]+$|:/.test(location.hostname);
  if (!('PublicKeyCredential' in window) || isAddress) return;
  for (const form of findAll(document, '[data-passkey]', HTMLFormElement)) {
    form.hidden = false;
    const missing = findOptional(document, '[data-passkey-missing]');
    if (missing) missing.hidden = true;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void fill(form);
    });
  }
}

/** @param {HTMLFormElement} form */
async function fill(form) {
  const line = find(form, '[data-passkey-error]');
  const button = find(form, 'button', HTMLButtonElement);
  line.hidden = true;
  button.disabled = true;
  try {
    const optionsJSON = await optionsFor(form);
    const { startAuthentication, startRegistration } = await import('../passkeys/passkeys.js');
    const answer =
      form.dataset.passkeyKind === 'add'
        ? await startRegistration({ optionsJSON })
        : await startAuthentication({ optionsJSON });
    find(form, '[name="credential"]', HTMLInputElement).value = JSON.stringify(answer);
    const password = findOptional(form, '[name="password"]', HTMLInputElement);
    if (password) password.disabled = true;
    copyStay(form);
    form.submit();
  } catch (error) {
    line.textContent = sentenceOf(error);
    line.hidden = false;
    button.disabled = false;
  }
}

/**
 * The choice of the form beside it, which is signed in to with a password.
 * @param {HTMLFormElement} form
 */
function copyStay(form) {
  const field = findOptional(form, '[name="stay"]', HTMLInputElement);
  const box = findOptional(document, '[type="checkbox"][name="stay"]', HTMLInputElement);
  if (field && box) field.value = box.checked ? 'yes' : 'no';
}

/** @param {HTMLFormElement} form */
async function optionsFor(form) {
  const response = await fetch(form.dataset.passkey ?? '', {
    method: 'POST',
    headers: { accept: 'application/json' },
    body: new URLSearchParams(/** @type {Record<string, string>} */ (Object.fromEntries(new FormData(form)))),
  });
  const answer = await response.json();
  if (!response.ok) throw new Refusal(answer.error?.detail ?? 'That did not work. Try again.');
  return answer;
}

/** A sentence of the server. */
class Refusal extends Error {}

/** @param {unknown} error */
function sentenceOf(error) {
  if (error instanceof Refusal) return error.message;
  const name = error instanceof Error ? error.name : '';
  if (name === 'NotAllowedError') return 'No passkey was chosen. Try again.';
  if (name === 'InvalidStateError') return 'This device has a passkey for your account already.';
  return 'That did not work. Try again.';
}
