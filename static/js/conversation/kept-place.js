// Where somebody is in a conversation, kept for when they come back with the browser's Back or load the page again.
import { findAll } from '../page/dom.js';
import { tabStorage } from '../page/storage.js';
import { uuid } from '../page/uuid.js';

/** The place for which the page around it is loaded, followed by its group. */
const SENT_KEY = 'place/sent/';

/**
 * @typedef {object} Place
 * @property {string} seq of the first message in view
 * @property {number} top how far below the top of the scroller it begins, in pixels
 */

/**
 * @param {HTMLElement} scroller
 * @param {() => boolean} isAtBottom there nothing is kept, and the page begins as it does for others
 */
export function keepPlace(scroller, isAtBottom) {
  if (!keyOfEntry()) newKey();
  addEventListener('pagehide', () => note(isAtBottom() ? undefined : placeIn(scroller)));
  // Back, within this page.
  addEventListener('popstate', () => {
    const kept = tabStorage.get(keyOfEntry() ?? '');
    if (kept) scrollToPlace(scroller, JSON.parse(kept));
  });
}

/**
 * Goes to a message of this page, from which Back leads to where one was.
 * @param {HTMLElement} scroller
 * @param {HTMLElement} message which becomes the target that is marked
 */
export function goToMessage(scroller, message) {
  // The same address would be no step.
  if (location.hash === `#${message.id}`) return message.scrollIntoView();
  note(placeIn(scroller));
  location.hash = message.id;
  newKey();
}

/**
 * Goes to where somebody was who comes back. Where that is not on the page, since it came in by scrolling, the page
 * around it is loaded in its place.
 * @param {HTMLElement} scroller
 * @param {string | undefined} groupId of a conversation that has such pages
 * @returns {boolean} whether it is on this page
 */
export function returnToPlace(scroller, groupId) {
  const sent = groupId && tabStorage.get(SENT_KEY + groupId);
  if (sent) tabStorage.set(SENT_KEY + groupId, '');
  const key = keyOfEntry();
  const kept = sent || (key && tabStorage.get(key));
  if (!kept) return false;
  /** @type {Place} */
  const { seq, top } = JSON.parse(kept);
  const isHere = scrollToPlace(scroller, { seq, top });
  if (!isHere && groupId && !sent) {
    tabStorage.set(SENT_KEY + groupId, kept);
    location.replace(`/groups/${groupId}?around=${seq}`);
  }
  return isHere;
}

/**
 * Scrolls so that a message is where it was.
 * @param {HTMLElement} scroller
 * @param {Place} place
 * @returns {boolean} whether it is on this page
 */
export function scrollToPlace(scroller, { seq, top }) {
  const message = document.getElementById(`message-${seq}`);
  if (message) scroller.scrollTop += message.getBoundingClientRect().top - topOf(scroller) - top;
  return message !== null;
}

/** Each entry of the browser's history has a place of its own. @returns {string | undefined} */
function keyOfEntry() {
  return history.state?.place;
}

function newKey() {
  history.replaceState({ ...history.state, place: `place/${uuid()}` }, '');
}

/** @param {Place | undefined} place of this entry */
function note(place) {
  const key = keyOfEntry();
  if (key) tabStorage.set(key, place ? JSON.stringify(place) : '');
}

/**
 * The first message in view, and where it begins.
 * @param {HTMLElement} scroller
 * @returns {Place | undefined}
 */
export function placeIn(scroller) {
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
