/** Ctrl+K, and "/" outside of fields, go to the search field from anywhere that is not a field. */
export function startSearchKey() {
  const field = document.querySelector('#q') ?? document.getElementById('search');
  if (!field) return;
  if (/Mac|iPhone|iPad/.test(navigator.userAgent))
    for (const key of document.querySelectorAll('.sidebar-search kbd')) key.textContent = '⌘K';
  addEventListener('keydown', (event) => {
    const isTyping = event.target.closest?.('input, textarea, [contenteditable]');
    const isCombination = event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey);
    if (!isCombination && (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey))
      return;
    event.preventDefault();
    field.focus();
    field.select();
  });
}
