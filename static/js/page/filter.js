import { find, findAll, findOptional } from './dom.js';
import { fold } from './fold.js';

/** Filters a list by the field's text: data-filter is the list's id, data-name the name of an entry. */
export function startFilter() {
  const field = findOptional(document, '[data-filter]', HTMLInputElement);
  if (!field) return;
  const list = find(document, `#${field.dataset.filter}`);
  const empty = find(document, '[data-filter-empty]');
  field.addEventListener('input', () => {
    const wanted = fold(field.value.trim());
    for (const entry of findAll(list, '[data-name]'))
      entry.hidden = !fold(entry.dataset.name ?? '').includes(wanted) && !entry.querySelector(':checked');
    empty.hidden = list.querySelector('[data-name]:not([hidden])') !== null;
  });
}
