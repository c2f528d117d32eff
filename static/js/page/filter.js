import { find, findAll, findOptional } from './dom.js';
import { fold } from './fold.js';

/** A field that hides what does not hold what is typed in it: data-filter names the list, data-name each entry. */
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
