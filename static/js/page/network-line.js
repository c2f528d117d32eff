import { findOptional } from './dom.js';

/** Outages shorter than this are not shown. */
const SHOW_AFTER_MS = 600;

/** What has lost its connection. @type {Set<object>} */
const down = new Set();
/** @type {number | undefined} */
let timer;

/** Whether the server is reached by everything on this page that is connected to it. */
export function isConnected() {
  return navigator.onLine && down.size === 0;
}

/**
 * Says at the top of the page that the server cannot be reached, while one of its connections is down.
 * @param {object} connection
 * @param {boolean} isUp
 */
export function showConnection(connection, isUp) {
  if (isUp) down.delete(connection);
  else down.add(connection);
  clearTimeout(timer);
  const line = findOptional(document, '#network-line');
  if (!line) return;
  if (down.size === 0) line.hidden = true;
  else
    timer = setTimeout(() => {
      line.textContent =
        navigator.onLine === false ? 'Offline. What was seen last is shown.' : 'Reconnecting…';
      line.hidden = false;
    }, SHOW_AFTER_MS);
}
