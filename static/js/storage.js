// The browser's storage, which may be refused, full, slow or closed behind the page's back: nothing here throws.

/** What takes longer is treated as failed; the page goes on without it. */
const SLOW_MS = 2_000;

/**
 * A table in an IndexedDB database of its own. A handle that the browser has closed is opened anew.
 * @template {{ id: string }} Row
 * @param {string} name of the database @param {string} table
 */
export function openTable(name, table) {
  let opening;

  function open() {
    opening ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(name, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(table, { keyPath: 'id' });
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const database = request.result;
        database.onclose = dropConnection;
        database.onversionchange = () => {
          database.close();
          dropConnection();
        };
        resolve(database);
      };
    });
    return opening;
  }

  function dropConnection() {
    opening = undefined;
  }

  async function attempt(mode, work) {
    const database = await open();
    const transaction = database.transaction(table, mode, { durability: 'strict' });
    const request = work(transaction.objectStore(table));
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request.result);
      // A full disk or quota aborts a transaction without an error of the request.
      transaction.onabort = () => reject(transaction.error ?? new Error('aborted'));
    });
  }

  /** @returns {Promise<{ isDone: boolean, result?: any }>} */
  async function run(mode, work) {
    for (const isLast of [false, true]) {
      try {
        return { isDone: true, result: await inTime(attempt(mode, work)) };
      } catch (error) {
        dropConnection();
        if (isLast || error === TOO_SLOW) break;
      }
    }
    return { isDone: false };
  }

  return {
    /** Resolves to whether the row is stored. @param {Row} row */
    put: async (row) => (await run('readwrite', (store) => store.put(row))).isDone,
    delete: async (id) => (await run('readwrite', (store) => store.delete(id))).isDone,
    /** Every row; undefined where they cannot be read. @returns {Promise<Row[] | undefined>} */
    all: async () => (await run('readonly', (store) => store.getAll())).result,
  };
}

const TOO_SLOW = new Error('too slow');

function inTime(work) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(reject, SLOW_MS, TOO_SLOW);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** @param {'sessionStorage' | 'localStorage'} area */
function openArea(area) {
  return {
    /** @returns {string | null} */
    get(key) {
      try {
        return window[area].getItem(key);
      } catch {
        return null;
      }
    },
    /** Without a value it is deleted. */
    set(key, value) {
      try {
        if (value) window[area].setItem(key, value);
        else window[area].removeItem(key);
      } catch {
        // The page works without it.
      }
    },
    /** The keys that begin so. */
    keys(prefix) {
      try {
        return Object.keys(window[area]).filter((key) => key.startsWith(prefix));
      } catch {
        return [];
      }
    },
  };
}

/** What this tab keeps for itself. */
export const tabStorage = openArea('sessionStorage');
/** What this browser remembers of how somebody likes things. */
export const browserStorage = openArea('localStorage');
