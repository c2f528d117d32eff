// The page's own events: what the server told, and what one part of the page tells another.

/**
 * Those that the server sends carry the data attributes of their fragment (docs/wire.md), which are all strings.
 * @typedef {object} Events
 * @property {{ change: string }} hello a conversation's socket is open; the newest change that there is
 * @property {{ id: string }} ack
 * @property {{ id: string, code: string, detail: string }} error
 * @property {{ accountId: string, name: string }} typing
 * @property {{ title: string, body: string, url: string, tag: string }} notify
 * @property {{ file: string, transcript: string, text: string }} transcribed
 * @property {{ file: string, percent: string }} transcribing
 * @property {{ groupId: string, html: string }} posted a message went by form, and came back as its fragment
 * @property {import('../outbox/items.js').Item} put-back a message was taken back to be written anew
 * @property {undefined} recording the microphone is about to be used
 * @property {undefined} close-thread
 */

/**
 * @template {keyof Events} Name
 * @param {Name} name
 * @param {(detail: Events[Name]) => void} listener
 */
export function listen(name, listener) {
  addEventListener(`hearth:${name}`, (event) => {
    listener(/** @type {CustomEvent} */ (event).detail);
  });
}

/**
 * @template {keyof Events} Name
 * @param {Name} name
 * @param {Events[Name]} detail
 * @param {Window} [page] another page than this one, such as the one around a frame
 */
export function announce(name, detail, page = window) {
  page.dispatchEvent(new CustomEvent(`hearth:${name}`, { detail }));
}
