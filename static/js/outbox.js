// What was written and is not yet acknowledged. It survives a closed tab, a lost network and a restart of the server in
// IndexedDB; where the browser stores nothing it stays in this tab. The id of a message makes a second try harmless, so
// two tabs may well send the same one.
import { openTable, tabStorage } from './storage.js';

const RETRY_MS = 3_000;
/** A socket that has not acknowledged a message by then may be dead: the form is tried. */
const ACK_WITHIN_MS = 5_000;
const POST_WITHIN_MS = 10_000;
const TAB_PREFIX = 'outbox/';

/**
 * @typedef {{ id: string, accountId: string, groupId: string, content: string, replyTo?: number,
 *   confirmed?: boolean, files?: { id: string, name: string, html: string }[], writtenAt: number, refusal?: string }} Item
 * @param {string} accountId whose messages these are; those of others who use this browser wait for them
 */
export function startOutbox(accountId) {
  const table = openTable('hearth', 'outbox');
  /** What this tab knows of, in memory: what the browser does not store is sent from here. @type {Map<string, Item>} */
  const items = new Map();
  /** Those of them that are in the table. */
  const stored = new Set();
  /** Acknowledged or taken back, by this tab: a table that is slow to delete may still name them. */
  const done = new Set();
  /** @type {undefined | { send(item: Item): boolean, restart(): void }} an open conversation's socket */
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
  const stateOf = (item) =>
    item.refusal ? 'refused' : stored.has(item.id) ? 'waiting' : 'waiting in this tab';

  async function flush() {
    if (isBusy) {
      isDueAgain = true;
      return;
    }
    isBusy = true;
    isDueAgain = false;
    clearTimeout(timer);
    try {
      for (const item of ownItems()) {
        if (item.refusal) continue;
        if (navigator.onLine === false || !(await deliver(item))) {
          isWaiting = true;
          for (const other of ownItems()) if (!other.refusal) tell(other, stateOf(other));
          timer = setTimeout(refresh, RETRY_MS);
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
    const answer = (await sendBySocket(item)) ?? (await post(item));
    if (answer === 'acknowledged') {
      deleteItem(item);
      tell(item, 'sent');
      return true;
    }
    if (answer?.refusal) {
      const refused = { ...item, refusal: answer.refusal };
      await keep(refused);
      tell(refused, 'refused');
      return true;
    }
    return false;
  }

  /** Resolves to nothing where there is no socket, or it does not answer: another line is then worth a try. */
  async function sendBySocket(item) {
    const answered = new Promise((resolve) => {
      waiting.set(item.id, resolve);
    });
    if (!socketDoor?.send(item)) {
      waiting.delete(item.id);
      return undefined;
    }
    let isLate;
    const late = new Promise((resolve) => {
      isLate = setTimeout(resolve, ACK_WITHIN_MS, 'late');
    });
    const answer = await Promise.race([answered, late]);
    clearTimeout(isLate);
    waiting.delete(item.id);
    if (answer !== 'late') return answer ?? 'later';
    socketDoor.restart();
    return undefined;
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
        signal: AbortSignal.timeout(POST_WITHIN_MS),
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

  function ownItems() {
    return [...items.values()]
      .filter((item) => item.accountId === accountId)
      .sort((a, b) => a.writtenAt - b.writtenAt);
  }

  /** Stores a message wherever this browser does; in memory it is at once. */
  async function keep(item) {
    items.set(item.id, item);
    const isStored = await table.put(item);
    if (done.has(item.id)) return void table.delete(item.id);
    if (isStored) stored.add(item.id);
    else stored.delete(item.id);
    tabStorage.set(TAB_PREFIX + item.id, isStored ? '' : JSON.stringify(item));
    if (!isStored && isWaiting && !item.refusal) tell(item, stateOf(item));
  }

  function deleteItem({ id }) {
    done.add(id);
    items.delete(id);
    stored.delete(id);
    tabStorage.set(TAB_PREFIX + id, '');
    table.delete(id);
  }

  /** What other tabs, or this one before it was loaded anew, have left. */
  async function load() {
    for (const key of tabStorage.keys(TAB_PREFIX)) add(JSON.parse(tabStorage.get(key)));
    const rows = await table.all();
    if (!rows) return;
    for (const row of rows) {
      add(row);
      stored.add(row.id);
    }
    const ids = new Set(rows.map((row) => row.id));
    // Another tab has sent it, or taken it back.
    for (const id of [...stored])
      if (!ids.has(id)) {
        items.delete(id);
        stored.delete(id);
      }

    function add(item) {
      if (!done.has(item.id) && !items.has(item.id)) items.set(item.id, item);
    }
  }

  async function refresh() {
    await load();
    await flush();
  }

  addEventListener('hearth:ack', ({ detail }) => waiting.get(detail.id)?.('acknowledged'));
  addEventListener('hearth:error', ({ detail }) => {
    const isPassing = detail.code === 'too_many' || detail.code === 'internal';
    waiting.get(detail.id)?.(isPassing ? undefined : { refusal: detail.detail });
  });
  addEventListener('online', refresh);
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && refresh());
  const loaded = load();
  loaded.then(flush);

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
      // Stored before it is sent, unless that takes long: a closed tab loses nothing then.
      await keep(item);
      flush();
    },
    async retry(item) {
      await keep({ ...item, refusal: undefined });
      flush();
    },
    discard: async (item) => deleteItem(item),
    /** What waits for a group, oldest first, with its state. */
    async pending(groupId) {
      await loaded;
      return ownItems()
        .filter((item) => item.groupId === groupId)
        .map((item) => ({ item, state: stateOf(item) }));
    },
    /** @param {(item: Item, state: 'sending' | 'waiting' | 'waiting in this tab' | 'refused' | 'sent') => void} listener */
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
