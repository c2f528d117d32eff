// A page with several forms: sending one of them loses nothing that was typed into the others.
import { findAll } from './dom.js';
import { tabStorage } from './storage.js';

const PREFIX = 'unsaved/';

/** Keeps the changed fields of all other forms when one is sent, and puts them back when the page returns. */
export function startUnsaved() {
  const key = PREFIX + location.pathname;
  restore(JSON.parse(tabStorage.get(key) || '[]'));
  tabStorage.set(key, '');
  document.addEventListener('submit', ({ target: sent }) => {
    const changed = fields()
      .filter(({ form, value, defaultValue }) => form !== sent && value !== defaultValue)
      .map(({ name, value, form }) => ({ name, value, action: form?.getAttribute('action') ?? '' }));
    tabStorage.set(key, changed.length > 0 ? JSON.stringify(changed) : '');
  });
}

/** Texts that people type and that are no secrets; what is chosen shows by itself what it is. */
function fields() {
  return [
    ...findAll(document, 'form[method="post"] input', HTMLInputElement),
    ...findAll(document, 'form[method="post"] textarea', HTMLTextAreaElement),
  ].filter(
    ({ type, form }) =>
      ['text', 'textarea', 'email', 'number'].includes(type) && form?.dataset.composer === undefined,
  );
}

/** @param {{ name: string, value: string, action: string }[]} changed */
function restore(changed) {
  for (const { name, value, action } of changed) {
    const field = fields().find(
      (field) => field.name === name && field.form?.getAttribute('action') === action,
    );
    if (!field) continue;
    field.value = value;
    const details = field.closest('details');
    if (details) details.open = true;
  }
}
