// A form in a row of a list, such as "Revoke": the page that answers it begins where the row was, not at its top.
import { findAll, findOptional } from './dom.js';
import { tabStorage } from './storage.js';

const KEY = 'focus';

/** Puts the focus back, and keeps it when a form is sent. */
export function startKeptFocus() {
  const kept = JSON.parse(tabStorage.get(KEY) || 'null');
  tabStorage.set(KEY, '');
  if (kept?.page === location.pathname && !findOptional(document, '[autofocus]')) putBack(kept);
  // On the window, after all that may take the form over: then no page is left.
  addEventListener('submit', (event) => {
    if (!event.defaultPrevented) keepFocus(event.target);
  });
}

/**
 * To be called where a form is sent by `submit()`, which is no event.
 * @param {EventTarget | null} form
 */
export function keepFocus(form) {
  const row = form instanceof HTMLFormElement ? form.closest('.rows > li, .hits > li') : null;
  const list = row?.parentElement;
  if (!list) return;
  const kept = { page: location.pathname, list: labelOf(list), row: [...list.children].indexOf(row) };
  tabStorage.set(KEY, JSON.stringify(kept));
}

/** @param {{ list: string, row: number }} kept */
function putBack({ list: label, row }) {
  const list = findAll(document, '.rows, .hits').find((list) => labelOf(list) === label);
  const rows = list ? [...list.children] : [];
  const place = rows[Math.min(row, rows.length - 1)];
  const target = place && findOptional(place, 'button, a[href], summary');
  if (target) return target.focus();
  // Nothing is left in the list.
  const heading = findOptional(document, '#main h1');
  heading?.setAttribute('tabindex', '-1');
  heading?.focus();
}

/** @param {Element} list */
function labelOf(list) {
  return list.getAttribute('aria-label') ?? list.getAttribute('aria-labelledby') ?? '';
}
