// Where somebody is in a conversation, kept for when they come back with the browser's Back or load the page again.
import { findAll } from '../page/dom.js';
import { tabStorage } from '../page/storage.js';

/** @typedef {{ seq: string, top: number }} Place the first message in view, and how far below the scroller's top it begins, in pixels */

const KEY = `place/${location.pathname}`;

/**
 * @param {HTMLElement} scroller
 * @param {() => boolean} isAtBottom there, nothing is kept: who comes back is led to what is new
 */
export function keepPlace(scroller, isAtBottom) {
  addEventListener('pagehide', () => {
    const place = isAtBottom() ? undefined : placeIn(scroller);
    tabStorage.set(KEY, place ? JSON.stringify(place) : '');
  });
}

/**
 * Goes to where somebody was who comes back. What is not on this page any more is asked for.
 * @param {HTMLElement} scroller
 * @param {string | undefined} groupId undefined on the page of a thread, which has all of it
 * @returns {boolean} whether there is such a place
 */
export function returnToPlace(scroller, groupId) {
  const [navigation] = performance.getEntriesByType('navigation');
  const kept = tabStorage.get(KEY);
  if (!kept || !(navigation instanceof PerformanceNavigationTiming) || navigation.type === 'navigate')
    return false;
  /** @type {Place} */
  const { seq, top } = JSON.parse(kept);
  const message = document.getElementById(`message-${seq}`);
  if (message) scroller.scrollTop += message.getBoundingClientRect().top - topOf(scroller) - top;
  else if (groupId) location.replace(`/groups/${groupId}?around=${seq}#message-${seq}`);
  return message !== null;
}

/**
 * @param {HTMLElement} scroller
 * @returns {Place | undefined}
 */
function placeIn(scroller) {
  const edge = topOf(scroller);
  const first = findAll(scroller, '.message[data-seq]').find(
    (message) => message.getBoundingClientRect().bottom > edge,
  );
  return first && { seq: first.dataset.seq ?? '', top: first.getBoundingClientRect().top - edge };
}

/** @param {HTMLElement} scroller */
function topOf(scroller) {
  return scroller.getBoundingClientRect().top;
}
