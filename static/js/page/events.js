// Custom events on `window`: pushed by the server, or sent from one module of the page to another.

/**
 * Those that the server sends carry the data attributes of their fragment (docs/wire.md), which are all strings.
 * @typedef {object} Events
 * @property {{ change: string, purged?: string, readOnly?: string }} hello a conversation's socket is open; the newest change
 *   that there is, the newest message that is no longer kept, and why this account may not write, if so
 * @property {{ groupId: string, seq: string }} purged messages up to this one are no longer kept
 * @property {{ id: string }} ack
 * @property {{ id: string, code: string, detail: string }} error
 * @property {{ accountId: string, name: string }} typing
 * @property {{ groupId: string }} rules who writes in the group, or how often, has changed
 * @property {{ accountId: string, username?: string, name: string }} renamed somebody changed their name, or has left
 * @property {{ title: string, body: string, url: string, tag: string }} notify
 * @property {{ ids: string }} groups the ids of all rows of the list of groups, separated by spaces
 * @property {{ seq: string }} removed a message was removed
 * @property {{ file: string, transcript: string, text: string }} transcribed
 * @property {{ file: string, percent: string }} transcribing
 * @property {{ groupId: string, html: string }} posted a message was sent by HTTP form; its rendered fragment
 * @property {import('../outbox/items.js').Item} put-back an unsent message was discarded and returns to the composer
 * @property {undefined} recording the microphone is about to be used
 * @property {undefined} close-thread
 * @property {undefined} thread-closed the thread beside this page is gone, with its outbox
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
