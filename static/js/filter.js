/** A field that hides what does not hold what is typed in it: data-filter names the list, data-name each entry. */
export function startFilter() {
  const field = document.querySelector('[data-filter]');
  if (!field) return;
  const list = document.getElementById(field.dataset.filter);
  const nobody = document.querySelector('[data-filter-empty]');
  field.addEventListener('input', () => {
    const wanted = fold(field.value.trim());
    for (const entry of list.querySelectorAll('[data-name]'))
      entry.hidden = !fold(entry.dataset.name).includes(wanted) && !entry.querySelector(':checked');
    nobody.hidden = Boolean(list.querySelector('[data-name]:not([hidden])'));
  });
}

/** Without case and accents: "tomas" finds Tomás. */
export function fold(text) {
  return text
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase();
}
