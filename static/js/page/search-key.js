import { closest, findAll, findOptional } from './dom.js';

/** Ctrl+K anywhere (⌘K on Apple devices), and "/" outside of text fields, focus the search field. */
export function startSearchKey() {
  const field =
    findOptional(document, '#q', HTMLInputElement) ?? findOptional(document, '#search', HTMLInputElement);
  if (!field) return;
  if (/Mac|iPhone|iPad/.test(navigator.userAgent))
    for (const key of findAll(document, '.sidebar-search kbd')) key.textContent = '⌘K';
  addEventListener('keydown', (event) => {
    const isWithModifier = event.ctrlKey || event.metaKey;
    const isCombination = event.key.toLowerCase() === 'k' && isWithModifier;
    // Also in the field of the emoji picker, which is in a shadow root.
    const isTyping = closest(event.composedPath()[0], 'input, textarea, [contenteditable]') !== undefined;
    const isSlash = event.key === '/' && !isTyping && !isWithModifier && !event.altKey;
    if (!isCombination && !isSlash) return;
    event.preventDefault();
    field.focus();
    field.select();
  });
}
