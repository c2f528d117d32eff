// Recordings that have not arrived yet, in IndexedDB: what somebody has said survives a closed tab and a lost network.
import { openTable } from './storage.js';

/** @typedef {{ id: string, accountId: string, place: string, blob: Blob, way: 'message' | 'text',
 *   replyTo?: number, at: number }} Kept */

/** What nobody came back for is gone after a week. */
const KEPT_MS = 7 * 86_400_000;
const table = openTable('hearth-recordings', 'recordings');
/** What this browser does not store is kept for as long as the tab is open. @type {Map<string, Kept>} */
const inThisTab = new Map();

/** @param {Kept} recording */
export async function keepRecording(recording) {
  if (!(await table.put(recording))) inThisTab.set(recording.id, recording);
}

export async function forgetRecording(id) {
  inThisTab.delete(id);
  await table.delete(id);
}

/** Whether it is still to be brought in; where nothing can be read, it is. */
export async function isKept(id) {
  const rows = await table.all();
  return !rows || inThisTab.has(id) || rows.some((row) => row.id === id);
}

/** Those of one person for one place, the oldest first. @returns {Promise<Kept[]>} */
export async function keptRecordings(accountId, place) {
  const all = (await table.all()) ?? [];
  for (const old of all.filter(({ at }) => Date.now() - at > KEPT_MS)) forgetRecording(old.id);
  return all
    .filter((kept) => kept.accountId === accountId && kept.place === place && Date.now() - kept.at <= KEPT_MS)
    .sort((a, b) => a.at - b.at);
}
