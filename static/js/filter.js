/** A field that hides what does not hold what is typed in it: data-filter names the list, data-name each entry. */
export function startFilter() {
  const field = document.querySelector('[data-filter]');
  if (!field) return;
  const list = document.getElementById(field.dataset.filter);
  field.addEventListener('input', () => {
    const wanted = field.value.trim().toLocaleLowerCase();
    for (const entry of list.querySelectorAll('[data-name]'))
      entry.hidden =
        !entry.dataset.name.toLocaleLowerCase().includes(wanted) && !entry.querySelector(':checked');
  });
}
