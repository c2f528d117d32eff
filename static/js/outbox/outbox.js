// Messages that are not yet acknowledged. IndexedDB keeps them through a closed tab, a lost network and a server
// restart; if the browser stores nothing, they stay in this tab. The id of a message makes sending it idempotent, so
// two tabs may send the same one.
import { listen } from '../page/events.js';
import { uuid } from '../page/uuid.js';
import { Delivery } from './delivery.js';
import { Items } from './items.js';

const RETRY_MS = 3_000;

/**
 * @typedef {import('./items.js').Item} Item
 * @typedef {import('./items.js').State} State
 * @typedef {(item: Item, state: State) => void} Listener
 */

export class Outbox {
  #accountId;
  #items;
  #delivery = new Delivery();
  /** @type {Set<Listener>} */
  #listeners = new Set();
  #loaded;
  #isBusy = false;
  /** flush() was called while another flush was running. */
  #isDueAgain = false;
  /** The last try failed; the next one is due when the timer, the network or a socket says so. */
  #isWaiting = false;
  /** @type {number | undefined} */
  #timer;

  /** @param {string} accountId who writes here */
  constructor(accountId) {
    this.#accountId = accountId;
    this.#items = new Items(accountId);
    addEventListener('online', () => this.refresh());
    // What was written in it and has not gone out is here now.
    listen('thread-closed', () => this.refresh());
    document.addEventListener(
      'visibilitychange',
      () => document.visibilityState === 'visible' && this.refresh(),
    );
    this.#loaded = this.#items.load();
    this.#loaded.then(() => this.flush());
  }

  /**
   * Keeps a message and starts sending it. Under an id that it had before, it is the same message.
   * @param {string} groupId
   * @param {string} content
   * @param {Partial<Pick<Item, 'id' | 'thread' | 'replyTo' | 'confirmed' | 'files'>>} [options]
   */
  async add(groupId, content, { id = uuid(), ...options } = {}) {
    const item = { id, accountId: this.#accountId, groupId, content, ...options, writtenAt: Date.now() };
    this.#tell(item, this.#isWaiting ? 'waiting' : 'sending');
    // Stored before it is sent, unless that takes long: a closed tab loses nothing then.
    await this.#keep(item);
    this.flush();
  }

  /** @param {Item} item that was refused */
  async retry(item) {
    await this.#load();
    // Another tab has sent it, or put it back into its field.
    if (!this.#items.has(item)) return;
    await this.#keep({ ...item, refusal: undefined });
    this.flush();
  }

  /**
   * Takes a refused message back. Resolves to whether it was here: another tab may have sent it, or taken it.
   * @param {Item} item
   */
  async takeBack(item) {
    await this.#load();
    if (!this.#items.has(item)) return false;
    this.#items.delete(item);
    this.#tell(item, 'gone');
    return true;
  }

  /**
   * What waits for a group, oldest first, with its state.
   * @param {string} groupId
   */
  async pending(groupId) {
    await this.#loaded;
    return this.#items
      .own()
      .filter((item) => item.groupId === groupId)
      .map((item) => ({ item, state: this.#items.stateOf(item) }));
  }

  /** @param {Listener} listener */
  subscribe(listener) {
    this.#listeners.add(listener);
  }

  /** @param {import('./delivery.js').SocketDoor} door */
  useSocket(door) {
    this.#delivery.useSocket(door);
  }

  /** Sends what waits, oldest first, until one cannot be delivered. */
  async flush() {
    if (this.#isBusy) {
      this.#isDueAgain = true;
      return;
    }
    this.#isBusy = true;
    this.#isDueAgain = false;
    clearTimeout(this.#timer);
    try {
      for (const item of this.#items.own()) {
        if (item.refusal) continue;
        if (!(await this.#deliver(item))) return this.#waitAndRetry();
        this.#isWaiting = false;
      }
    } finally {
      this.#isBusy = false;
    }
    if (this.#isDueAgain) this.flush();
  }

  #waitAndRetry() {
    this.#isWaiting = true;
    for (const item of this.#items.own()) if (!item.refusal) this.#tell(item, this.#items.stateOf(item));
    this.#timer = setTimeout(() => this.refresh(), RETRY_MS);
  }

  /**
   * Resolves to whether the next one may be tried: this one was acknowledged or refused.
   * @param {Item} item
   */
  async #deliver(item) {
    if (!this.#isWaiting) this.#tell(item, 'sending');
    const answer = await this.#delivery.deliver(item);
    if (answer === 'later') return false;
    if (answer === 'acknowledged') {
      this.#items.delete(item);
      this.#tell(item, 'delivered');
    } else {
      const refused = { ...item, refusal: answer.refusal };
      await this.#keep(refused);
      this.#tell(refused, 'refused');
    }
    return true;
  }

  /** @param {Item} item */
  async #keep(item) {
    const isStored = await this.#items.keep(item);
    if (!isStored && this.#isWaiting && !item.refusal) this.#tell(item, this.#items.stateOf(item));
  }

  /** Sends what waits, also what another page of this browser has kept and did not send. */
  async refresh() {
    await this.#load();
    await this.flush();
  }

  async #load() {
    for (const item of await this.#items.load()) this.#tell(item, 'gone');
  }

  /** @type {Listener} */
  #tell(item, state) {
    for (const listener of this.#listeners) listener(item, state);
  }
}
