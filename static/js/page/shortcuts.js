import { showSheet } from './dialog.js';
import { closest, findOptional } from './dom.js';

/** "?" outside of fields shows what the keyboard does. */
export function startShortcuts() {
  const template = findOptional(document, '#sheet-shortcuts', HTMLTemplateElement);
  if (!template) return;
  addEventListener('keydown', (event) => {
    const isTyping = closest(event.target, 'input, textarea, select, dialog, [contenteditable]');
    if (event.key !== '?' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    showSheet(template.innerHTML);
  });
}
