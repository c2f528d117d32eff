// The browser's storage, which may be refused, full, slow or closed behind the page's back: nothing here throws.
import { openDB } from 'idb';

/** What takes longer is treated as failed; the page goes on without it. */
const SLOW_MS = 2_000;

class TooSlow extends Error {}

/**
 * A table in an IndexedDB database of its own. A handle that the browser has closed is opened anew.
 * @template {{ id: string }} Row
 */
export class Table {
  #database;
  #name;
  /** @type {Promise<import('idb').IDBPDatabase> | undefined} */
  #opening;

  /**
   * @param {string} database
   * @param {string} name
   */
  constructor(database, name) {
    this.#database = database;
    this.#name = name;
  }

  /**
   * Resolves to whether the row is stored.
   * @param {Row} row
   */
  async put(row) {
    return (await this.#attempt('readwrite', (store) => store.put?.(row))).isDone;
  }

  /** @param {string} id */
  async delete(id) {
    return (await this.#attempt('readwrite', (store) => store.delete?.(id))).isDone;
  }

  /**
   * Every row; undefined where they cannot be read.
   * @returns {Promise<Row[] | undefined>}
   */
  async all() {
    return (await this.#attempt('readonly', (store) => store.getAll())).result;
  }

  /**
   * Tries twice, since the browser may have closed the database since the last use.
   * @template Result
   * @param {IDBTransactionMode} mode
   * @param {(store: import('idb').IDBPObjectStore<unknown, [string], string, IDBTransactionMode>) => Promise<Result> | undefined} work
   * @returns {Promise<{ isDone: boolean, result?: Result | undefined }>}
   */
  async #attempt(mode, work) {
    for (const isLast of [false, true]) {
      try {
        return { isDone: true, result: await inTime(this.#run(mode, work)) };
      } catch (error) {
        this.#opening = undefined;
        if (isLast || error instanceof TooSlow) break;
      }
    }
    return { isDone: false };
  }

  /**
   * @template Result
   * @param {IDBTransactionMode} mode
   * @param {(store: import('idb').IDBPObjectStore<unknown, [string], string, IDBTransactionMode>) => Promise<Result> | undefined} work
   */
  async #run(mode, work) {
    const database = await this.#open();
    const transaction = database.transaction(this.#name, mode, { durability: 'strict' });
    // A full disk or quota aborts a transaction without an error of the request.
    const [result] = await Promise.all([work(transaction.store), transaction.done]);
    return result;
  }

  #open() {
    const forget = () => {
      this.#opening = undefined;
    };
    this.#opening ??= openDB(this.#database, 1, {
      upgrade: (database) => void database.createObjectStore(this.#name, { keyPath: 'id' }),
      blocking: (_current, _blocked, event) => {
        /** @type {IDBDatabase} */ (event.target).close();
        forget();
      },
      terminated: forget,
    });
    return this.#opening;
  }
}

/**
 * @template Result
 * @param {Promise<Result>} work
 * @returns {Promise<Result>}
 */
function inTime(work) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new TooSlow()), SLOW_MS);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

class Area {
  #name;

  /** @param {'sessionStorage' | 'localStorage'} name */
  constructor(name) {
    this.#name = name;
  }

  /**
   * @param {string} key
   * @returns {string | undefined}
   */
  get(key) {
    try {
      return window[this.#name].getItem(key) ?? undefined;
    } catch {
      return undefined;
    }
  }

  /**
   * @param {string} key
   * @param {string} value an empty one deletes it
   */
  set(key, value) {
    try {
      if (value) window[this.#name].setItem(key, value);
      else window[this.#name].removeItem(key);
    } catch {
      // The page works without it.
    }
  }

  /**
   * The keys that start with a prefix.
   * @param {string} prefix
   */
  keys(prefix) {
    try {
      return Object.keys(window[this.#name]).filter((key) => key.startsWith(prefix));
    } catch {
      return [];
    }
  }
}

/** What this tab keeps for itself. */
export const tabStorage = new Area('sessionStorage');
/** The user's preferences in this browser. */
export const browserStorage = new Area('localStorage');
