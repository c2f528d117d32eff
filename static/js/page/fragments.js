// Puts pushed fragments where they belong. A fragment says so itself, by data-live or data-event.
import { findOptional, parseHtml } from './dom.js';

const order = new Intl.Collator(undefined, { sensitivity: 'base', numeric: true });

/**
 * data-live="replace"  takes the place of the element with its id
 * data-live="place"    the same, or goes into #data-into, in the order of data-sort
 * data-live="remove"   takes away the element with its id
 * data-live="hide"     the same, but replaces that of the open page
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
    else if (live === 'replace') old && keepFocus(old, element, () => old.replaceWith(element));
    else if (live === 'remove') old?.remove();
    else if (live === 'hide') {
      if (old?.querySelector('[aria-current]')) keepFocus(old, element, () => old.replaceWith(element));
      else old?.remove();
    } else if (live === 'place') placeInOrder(element, old);
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
  if (old) keepFocus(old, element, () => placeAmong(list, element, old));
  else placeAmong(list, element, old);
}

/**
 * @param {HTMLElement} list
 * @param {HTMLElement} element
 * @param {HTMLElement | null} old
 */
function placeAmong(list, element, old) {
  const sort = element.dataset.sort ?? '';
  if (old?.parentElement === list && old.dataset.sort === sort) {
    old.replaceWith(element);
  } else {
    old?.remove();
    const next = [...list.children].find(
      (row) => row instanceof HTMLElement && order.compare(row.dataset.sort ?? '', sort) > 0,
    );
    list.insertBefore(element, next ?? null);
  }
}

/**
 * The link that has the focus in what is replaced has it afterwards; the first link, where that one is gone.
 * @param {HTMLElement} old
 * @param {HTMLElement} element
 * @param {() => void} replace
 */
function keepFocus(old, element, replace) {
  const focused = document.activeElement;
  const hadFocus = focused !== null && old.contains(focused);
  const address = focused?.getAttribute('href') ?? '';
  replace();
  if (!hadFocus) return;
  const link = findOptional(element, `a[href="${CSS.escape(address)}"]`) ?? findOptional(element, 'a');
  (focused === old ? element : link)?.focus({ preventScroll: true });
}
