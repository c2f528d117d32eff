// Recordings that have not arrived yet, in IndexedDB: what somebody has said survives a closed tab and a lost network.

/** @typedef {{ id: string, accountId: string, place: string, blob: Blob, way: 'message' | 'text',
 *   replyTo?: number, at: number }} Kept */

const NAME = 'hearth-recordings';
const STORE = 'recordings';
/** What nobody came back for is gone after a week. */
const KEPT_MS = 7 * 86_400_000;
let opening;

// A browser that refuses IndexedDB (some private windows) keeps them for as long as the tab is open.
function open() {
  opening ??= new Promise((resolve) => {
    try {
      const request = indexedDB.open(NAME, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'id' });
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(undefined);
    } catch {
      resolve(undefined);
    }
  });
  return opening;
}

async function run(mode, work) {
  const database = await open();
  if (!database) return undefined;
  const transaction = database.transaction(STORE, mode);
  const request = work(transaction.objectStore(STORE));
  return new Promise((resolve) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => resolve(undefined);
  });
}

/** @param {Kept} recording */
export function keepRecording(recording) {
  return run('readwrite', (store) => store.put(recording));
}

export function forgetRecording(id) {
  return run('readwrite', (store) => store.delete(id));
}

/** Whether it is still to be brought in, also where nothing can be kept. */
export async function isKept(id) {
  return !(await open()) || (await run('readonly', (store) => store.getKey(id))) !== undefined;
}

/** Those of one person for one place, the oldest first. @returns {Promise<Kept[]>} */
export async function keptRecordings(accountId, place) {
  const all = (await run('readonly', (store) => store.getAll())) ?? [];
  for (const old of all.filter(({ at }) => Date.now() - at > KEPT_MS)) forgetRecording(old.id);
  return all
    .filter((one) => one.accountId === accountId && one.place === place && Date.now() - one.at <= KEPT_MS)
    .sort((a, b) => a.at - b.at);
}
