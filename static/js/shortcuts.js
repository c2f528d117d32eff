import { showSheet } from './dialog.js';

/** "?" outside of fields shows what the keyboard does. */
export function startShortcuts() {
  const template = document.getElementById('sheet-shortcuts');
  if (!template) return;
  addEventListener('keydown', (event) => {
    const isTyping = event.target.closest?.('input, textarea, select, dialog, [contenteditable]');
    if (event.key !== '?' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    showSheet(template.innerHTML);
  });
}
