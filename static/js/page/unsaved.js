// A page with several forms: sending one of them loses nothing that was typed into the others.
import { findAll } from './dom.js';
import { tabStorage } from './storage.js';

const PREFIX = 'unsaved/';
const TYPES = ['text', 'textarea', 'email', 'number', 'url'];
/** What confirms an act, or lets somebody in, is typed each time. */
const NEVER = ['confirmation', 'code'];

/** Keeps the changed fields of all other forms when one is sent, and puts them back when the page returns. */
export function startUnsaved() {
  restore(JSON.parse(tabStorage.get(key()) || '[]'));
  tabStorage.set(key(), '');
  // On the window, after all that may take the form over: then no page is left.
  addEventListener('submit', (event) => {
    if (!event.defaultPrevented) keepOthers(event.target);
  });
}

/**
 * To be called where a form is sent by `submit()`, which is no event.
 * @param {EventTarget | null} sent
 */
export function keepOthers(sent) {
  const changed = fields()
    .filter(({ form, value, defaultValue }) => form !== sent && value !== defaultValue)
    .map(({ name, value, form }) => ({ name, value, action: form?.getAttribute('action') ?? '' }));
  tabStorage.set(key(), changed.length > 0 ? JSON.stringify(changed) : '');
}

/** By its title: a refused form comes back at another address, and the number of unread messages stands before it. */
function key() {
  return PREFIX + document.title.replace(/^\(\d+\+?\) /, '');
}

/** Texts that people type and that are no secrets; what is chosen shows by itself what it is. */
function fields() {
  return [
    ...findAll(document, 'form[method="post"] input', HTMLInputElement),
    ...findAll(document, 'form[method="post"] textarea', HTMLTextAreaElement),
  ].filter(
    ({ type, name, form }) =>
      TYPES.includes(type) && !NEVER.includes(name) && form?.dataset.composer === undefined,
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
