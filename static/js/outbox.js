// What was written and is not yet acknowledged, in IndexedDB: it survives a closed tab, a lost network and a restart
// of the server. The id of a message makes a second try harmless, so two tabs may well send the same one.

const RETRY_MS = 3_000;
const ACK_WITHIN_MS = 10_000;

/**
 * @typedef {{ id: string, accountId: string, groupId: string, content: string, replyTo?: number,
 *   confirmed?: boolean, files?: { id: string, name: string, html: string }[], writtenAt: number, refusal?: string }} Item
 * @param {string} accountId whose messages these are; those of others who use this browser wait for them
 */
export function startOutbox(accountId) {
  /** @type {undefined | ((item: Item) => boolean)} sends through an open conversation's socket */
  let socketDoor;
  let isBusy = false;
  /** Something was written while the last round was under way. */
  let isDueAgain = false;
  /** The last try failed; the next one is due when the timer, the network or a socket says so. */
  let isWaiting = false;
  let timer;
  const listeners = new Set();
  const waiting = new Map();

  const tell = (item, state) => {
    for (const listener of listeners) listener(item, state);
  };

  async function flush() {
    if (isBusy) {
      isDueAgain = true;
      return;
    }
    isBusy = true;
    isDueAgain = false;
    clearTimeout(timer);
    try {
      for (const item of await mine()) {
        if (item.refusal) continue;
        if (navigator.onLine === false || !(await deliver(item))) {
          isWaiting = true;
          for (const one of await mine()) if (!one.refusal) tell(one, 'waiting');
          timer = setTimeout(flush, RETRY_MS);
          return;
        }
        isWaiting = false;
      }
    } finally {
      isBusy = false;
    }
    if (isDueAgain) flush();
  }

  /** Resolves to whether the next one may be tried: this one was acknowledged or refused. */
  async function deliver(item) {
    if (!isWaiting) tell(item, 'sending');
    const answered = new Promise((resolve) => {
      waiting.set(item.id, resolve);
      setTimeout(resolve, ACK_WITHIN_MS, undefined);
    });
    const answer = socketDoor?.(item) ? await answered : await post(item);
    waiting.delete(item.id);
    if (answer === 'acknowledged') {
      await change((store) => store.delete(item.id));
      tell(item, 'sent');
      return true;
    }
    if (answer?.refusal) {
      const refused = { ...item, refusal: answer.refusal };
      await change((store) => store.put(refused));
      tell(refused, 'refused');
      return true;
    }
    return false;
  }

  /** @param {Item} item */
  async function post({ id, groupId, content, replyTo = '', confirmed, files = [] }) {
    const fields = new URLSearchParams({ id, content, replyTo, ...(confirmed && { confirmed: 'yes' }) });
    for (const file of files) fields.append('fileIds', file.id);
    try {
      const response = await fetch(`/groups/${groupId}/messages`, {
        method: 'POST',
        body: fields,
        headers: { 'HX-Request': 'true' },
        signal: AbortSignal.timeout(ACK_WITHIN_MS),
      });
      if (response.ok) {
        const html = await response.text();
        dispatchEvent(new CustomEvent('hearth:posted', { detail: { groupId, html } }));
        return 'acknowledged';
      }
      // Signed out, too fast, or trouble over there: it keeps.
      if (response.status === 401 || response.status === 429 || response.status >= 500) return undefined;
      const template = document.createElement('template');
      template.innerHTML = await response.text();
      return { refusal: template.content.textContent.trim() || 'It was refused.' };
    } catch {
      return undefined;
    }
  }

  async function mine() {
    const items = await read();
    return items.filter((item) => item.accountId === accountId).sort((a, b) => a.writtenAt - b.writtenAt);
  }

  addEventListener('hearth:ack', ({ detail }) => waiting.get(detail.id)?.('acknowledged'));
  addEventListener('hearth:error', ({ detail }) => {
    const isPassing = detail.code === 'too_many' || detail.code === 'internal';
    waiting.get(detail.id)?.(isPassing ? undefined : { refusal: detail.detail });
  });
  addEventListener('online', flush);
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && flush());
  flush();

  return {
    /** Keeps a message and starts sending it. Under an id that it had before, it is the same message. */
    async add(groupId, content, { id = uuid(), replyTo, confirmed, files } = {}) {
      const item = {
        id,
        accountId,
        groupId,
        content,
        replyTo,
        confirmed,
        files,
        writtenAt: Date.now(),
      };
      tell(item, isWaiting ? 'waiting' : 'sending');
      await change((store) => store.put(item));
      flush();
    },
    async retry(item) {
      await change((store) => store.put({ ...item, refusal: undefined }));
      flush();
    },
    discard: (item) => change((store) => store.delete(item.id)),
    /** What waits for a group, oldest first. */
    pending: async (groupId) => (await mine()).filter((item) => item.groupId === groupId),
    /** @param {(item: Item, state: 'sending' | 'waiting' | 'refused' | 'sent') => void} listener */
    subscribe: (listener) => listeners.add(listener),
    useSocket(door) {
      socketDoor = door;
    },
    flush,
  };
}

// crypto.randomUUID is for secure contexts only, and plain HTTP on a network is not one.
export function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  // UUIDv7: it begins with the time, which keeps the server's index in order (RFC 9562, 5.7).
  new DataView(bytes.buffer).setBigUint64(
    0,
    (BigInt(Date.now()) << 16n) | BigInt((bytes[6] << 8) | bytes[7]),
  );
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

// A browser that refuses IndexedDB (some private windows) keeps the messages for as long as the tab is open.
const memory = new Map();
let opening;

function open() {
  opening ??= new Promise((resolve) => {
    try {
      const request = indexedDB.open('hearth', 1);
      request.onupgradeneeded = () => request.result.createObjectStore('outbox', { keyPath: 'id' });
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(undefined);
    } catch {
      resolve(undefined);
    }
  });
  return opening;
}

async function read() {
  const database = await open();
  if (!database) return [...memory.values()];
  const request = database.transaction('outbox').objectStore('outbox').getAll();
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function change(write) {
  const database = await open();
  if (!database)
    return write({ put: (item) => memory.set(item.id, item), delete: (id) => memory.delete(id) });
  const transaction = database.transaction('outbox', 'readwrite', { durability: 'strict' });
  write(transaction.objectStore('outbox'));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = () => reject(transaction.error);
  });
}
