import { localiseTimes } from './days.js';
import { findAll, findOptional } from './dom.js';

/** What a queue of administrators shows, and how many wait in it. */
const PARTS = ['.pane-title', '[data-queue]'];

/** The administrators' queues follow what others write and do; while somebody types into one, it waits. */
export function startQueue() {
  const list = findOptional(document, '.own-list');
  const linkId = findOptional(document, '[data-queue]')?.dataset.queue;
  if (!linkId || !list) return;
  let isDue = false;
  const refresh = async () => {
    if (isInUse()) return;
    isDue = false;
    const answer = await fetch(location.href);
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    if (isInUse()) return;
    localiseTimes(page);
    for (const part of PARTS) {
      const fresh = findOptional(page, part);
      if (fresh) findOptional(document, part)?.replaceWith(fresh);
    }
  };
  // With each change of the queue its link is pushed anew.
  new MutationObserver((changes) => {
    const isLink = changes.some(({ addedNodes }) =>
      [...addedNodes].some((node) => node instanceof Element && node.id === linkId),
    );
    if (!isLink) return;
    isDue = true;
    void refresh();
  }).observe(list, { childList: true });
  document.addEventListener('focusout', () => {
    if (isDue) setTimeout(refresh);
  });
}

/** Whether somebody is about to write or choose something in it, or has and not saved it. */
function isInUse() {
  const shown = findOptional(document, '[data-queue]');
  if (!shown) return true;
  const fields = [
    ...findAll(shown, 'textarea', HTMLTextAreaElement),
    ...findAll(shown, 'input', HTMLInputElement),
  ];
  return shown.contains(document.activeElement) || fields.some((field) => field.value !== field.defaultValue);
}
