// What was written and is not yet acknowledged: in memory, and wherever this browser stores things.
import { browserStorage, Table, tabStorage } from '../page/storage.js';

const PREFIX = 'outbox/';

/**
 * @typedef {object} Item a message that is on its way
 * @property {string} id a UUID; a second try with the same one is the same message
 * @property {string} accountId who wrote it
 * @property {string} groupId
 * @property {string | undefined} [thread] the seq of the first message of the thread in whose field it was written
 * @property {string} content
 * @property {number | undefined} [replyTo] the seq of the message that it answers
 * @property {true | undefined} [confirmed] its writer has confirmed that it calls everybody
 * @property {SentFile[] | undefined} [files]
 * @property {number} writtenAt in milliseconds
 * @property {string | undefined} [refusal] the server's sentence; it is not tried again by itself
 *
 * @typedef {{ id: string, name: string, html: string }} SentFile
 * @typedef {'sending' | 'waiting' | 'waiting in this tab' | 'refused' | 'delivered' | 'gone'} State
 */

export class Items {
  /** @type {Table<Item>} */
  #table = new Table('hearth', 'outbox');
  /** @type {Map<string, Item>} */
  #byId = new Map();
  /** Those that are in the table. */
  #storedIds = new Set();
  /** Acknowledged or discarded by this tab. The table may still list them until the delete is done. */
  #doneIds = new Set();
  #accountId;

  /** @param {string} accountId the owner; items of other accounts in this browser are kept for them */
  constructor(accountId) {
    this.#accountId = accountId;
  }

  /** The oldest first. */
  own() {
    return [...this.#byId.values()]
      .filter((item) => item.accountId === this.#accountId)
      .sort((a, b) => a.writtenAt - b.writtenAt);
  }

  /**
   * @param {Item} item that was not acknowledged
   * @returns {State}
   */
  stateOf(item) {
    if (item.refusal) return 'refused';
    return this.#storedIds.has(item.id) ? 'waiting' : 'waiting in this tab';
  }

  /**
   * Keeps the item in memory at once. Resolves to whether the table has stored it.
   * @param {Item} item
   */
  async keep(item) {
    const { id } = item;
    this.#byId.set(id, item);
    // The table takes a moment. Meanwhile the item is here, at once: the tab may be closed as soon as it is shown.
    browserStorage.set(PREFIX + id, JSON.stringify(item));
    const isStored = await this.#table.put(item);
    browserStorage.set(PREFIX + id, '');
    if (this.#doneIds.has(id)) {
      this.#table.delete(id);
      return true;
    }
    if (isStored) this.#storedIds.add(id);
    else this.#storedIds.delete(id);
    tabStorage.set(PREFIX + id, isStored ? '' : JSON.stringify(item));
    return isStored;
  }

  /** @param {Item} item */
  delete({ id }) {
    this.#doneIds.add(id);
    this.#byId.delete(id);
    this.#storedIds.delete(id);
    tabStorage.set(PREFIX + id, '');
    browserStorage.set(PREFIX + id, '');
    this.#table.delete(id);
  }

  /**
   * Loads the items of other tabs, and of this tab before a reload.
   * @returns {Promise<Item[]>} those that another tab has sent or taken back
   */
  async load() {
    for (const area of [tabStorage, browserStorage])
      for (const key of area.keys(PREFIX)) this.#add(JSON.parse(area.get(key) ?? 'null'));
    // What is stored while the table is read is not in its rows.
    const storedIds = new Set(this.#storedIds);
    const rows = await this.#table.all();
    if (!rows) return [];
    for (const row of rows) {
      this.#add(row);
      this.#storedIds.add(row.id);
    }
    const ids = new Set(rows.map((row) => row.id));
    const gone = [...this.#byId.values()].filter(({ id }) => storedIds.has(id) && !ids.has(id));
    for (const { id } of gone) {
      this.#byId.delete(id);
      this.#storedIds.delete(id);
    }
    return gone;
  }

  /** @param {Item} item */
  has({ id }) {
    return this.#byId.has(id);
  }

  /** @param {Item | null} item */
  #add(item) {
    if (item && !this.#doneIds.has(item.id) && !this.#byId.has(item.id)) this.#byId.set(item.id, item);
  }
}
