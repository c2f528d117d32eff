import { find, findAll } from './page/dom.js';

/** By the score of zxcvbn. */
const WORDS = ['Guessed at once', 'Easily guessed', 'Fair', 'Strong', 'Very strong'];
const MIN_CHARACTERS = 8;

/** Says below the field of a new password how hard it is to guess. Without a script the server still refuses weak ones. */
export function startNewPassword() {
  for (const line of findAll(document, '[data-strength]')) {
    const form = line.closest('form');
    if (!form) continue;
    const field = find(form, '[autocomplete="new-password"]', HTMLInputElement);
    const name = form.querySelector('[autocomplete="username"]');
    field.addEventListener('input', () =>
      show(line, field, name instanceof HTMLInputElement ? name.value : ''),
    );
  }
}

/**
 * @param {HTMLElement} line
 * @param {HTMLInputElement} field
 * @param {string} name
 */
async function show(line, field, name) {
  const password = field.value;
  line.hidden = [...password].length < MIN_CHARACTERS;
  if (line.hidden) return;
  const { strengthOf } = await import('../password/strength.js');
  const score = await strengthOf(password, ['hearth', name]);
  // The answer to an older text would overwrite that to the newer one.
  if (field.value !== password) return;
  find(line, 'meter', HTMLMeterElement).value = score + 1;
  find(line, 'span').textContent = WORDS[score] ?? '';
}
