// Puts pushed fragments where they belong. A fragment says so itself, by data-live or data-event.
import { findOptional, parseHtml } from './dom.js';

const order = new Intl.Collator(undefined, { sensitivity: 'base', numeric: true });

/**
 * data-live="replace"  takes the place of the element with its id
 * data-live="place"    the same, or goes into #data-into, in the order of data-sort
 * data-live="remove"   takes away the element with its id
 * data-event="ack"     is a fact: dispatched as the event "hearth:ack" with its data attributes
 * anything else        is given to `onOther`, the feature's own
 * @param {string} html
 * @param {(element: HTMLElement) => void} [onOther]
 */
export function placeFragments(html, onOther = () => {}) {
  for (const element of [...parseHtml(html).children]) {
    if (!(element instanceof HTMLElement)) continue;
    const { event, live } = element.dataset;
    const old = document.getElementById(element.id);
    if (event) dispatchEvent(new CustomEvent(`hearth:${event}`, { detail: { ...element.dataset } }));
    else if (live === 'replace') old?.replaceWith(element);
    else if (live === 'remove') old?.remove();
    else if (live === 'place') placeInOrder(element, old);
    else onOther(element);
  }
}

/**
 * @param {HTMLElement} element
 * @param {HTMLElement | null} old
 */
function placeInOrder(element, old) {
  const list = document.getElementById(element.dataset.into ?? '');
  if (!list) return;
  const sort = element.dataset.sort ?? '';
  const hadFocus = old?.contains(document.activeElement);
  if (old?.parentElement === list && old.dataset.sort === sort) {
    old.replaceWith(element);
  } else {
    old?.remove();
    const next = [...list.children].find(
      (row) => row instanceof HTMLElement && order.compare(row.dataset.sort ?? '', sort) > 0,
    );
    list.insertBefore(element, next ?? null);
  }
  if (hadFocus) findOptional(element, 'a')?.focus();
}
