// Recordings that have not arrived yet, in IndexedDB: what somebody has said survives a closed tab and a lost network.
import { Table } from '../page/storage.js';

/** A recording that was never uploaded is deleted after a week. */
const KEPT_MS = 7 * 86_400_000;

/**
 * @typedef {object} KeptRecording
 * @property {string} id a UUID, which a message of it has too
 * @property {string} accountId
 * @property {string} place the conversation or thread that it is for
 * @property {Blob} blob
 * @property {import('./recorder.js').Way} way
 * @property {number | undefined} [replyTo] the seq of the message that it answers
 * @property {number} at in milliseconds
 */

/** @type {Table<KeptRecording>} */
const table = new Table('hearth-recordings', 'recordings');
/** What this browser does not store is kept for as long as the tab is open. @type {Map<string, KeptRecording>} */
const inThisTab = new Map();

/** @param {KeptRecording} recording */
export async function keepRecording(recording) {
  if (!(await table.put(recording))) inThisTab.set(recording.id, recording);
}

/** @param {string} id */
export async function deleteRecording(id) {
  inThisTab.delete(id);
  await table.delete(id);
}

/**
 * Whether a recording still has to be uploaded; true if the table cannot be read.
 * @param {string} id
 */
export async function isKept(id) {
  const rows = await table.all();
  return !rows || inThisTab.has(id) || rows.some((row) => row.id === id);
}

/**
 * Those of one person, the oldest first.
 * @param {string} accountId
 */
export async function keptRecordings(accountId) {
  const all = (await table.all()) ?? [];
  const oldest = Date.now() - KEPT_MS;
  for (const { id, at } of all) if (at < oldest) deleteRecording(id);
  return all.filter((kept) => kept.accountId === accountId && kept.at >= oldest).sort((a, b) => a.at - b.at);
}

/**
 * Runs work under a lock for a recording. Without Web Locks two tabs may upload it; its id still makes one message.
 * @param {string} id
 * @param {() => Promise<void>} work
 */
export function inTurn(id, work) {
  return navigator.locks ? navigator.locks.request(`recording/${id}`, work) : work();
}
