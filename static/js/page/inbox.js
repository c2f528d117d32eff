import { localiseTimes } from './days.js';
import { findAll, findOptional } from './dom.js';

/** The administrators' queue follows what others write and do; while somebody types a note in it, it waits. */
export function startInbox() {
  const list = findOptional(document, '.own-list');
  if (!findOptional(document, '[data-inbox]') || !list) return;
  let isDue = false;
  const refresh = async () => {
    const shown = findOptional(document, '[data-inbox]');
    if (!shown || isInUse(shown)) return;
    isDue = false;
    const answer = await fetch(location.href);
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const fresh = findOptional(page, '[data-inbox]');
    if (!fresh || isInUse(shown)) return;
    localiseTimes(fresh);
    shown.replaceWith(fresh);
  };
  // With each change of the inbox its link is pushed anew.
  new MutationObserver((changes) => {
    const isLink = changes.some(({ addedNodes }) =>
      [...addedNodes].some((node) => node instanceof Element && node.id === 'inbox-link'),
    );
    if (!isLink) return;
    isDue = true;
    void refresh();
  }).observe(list, { childList: true });
  document.addEventListener('focusout', () => {
    if (isDue) setTimeout(refresh);
  });
}

/**
 * Whether somebody is about to write or choose something in it, or has and not saved it.
 * @param {HTMLElement} shown
 */
function isInUse(shown) {
  return (
    shown.contains(document.activeElement) ||
    findAll(shown, 'textarea', HTMLTextAreaElement).some((field) => field.value !== field.defaultValue)
  );
}
