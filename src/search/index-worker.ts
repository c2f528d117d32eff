import { workerData } from 'piscina';
import { isDamage } from '../database/integrity.ts';
import { removeSearchStore } from './open-store.ts';
import type { Cursor, Hit } from './queries.ts';
import { type Document, type Query, SearchStore } from './store.ts';

export type Settings = { file: string; secret: Uint8Array };

export type Job =
  | { kind: 'index'; documents: readonly Document[]; cursors: readonly Cursor[] }
  | { kind: 'find'; query: Query }
  | { kind: 'count'; query: Query }
  | { kind: 'cursors' }
  | { kind: 'tidy'; isFirst: boolean }
  | { kind: 'forget'; groupId: number; upTo?: number }
  | { kind: 'close' };

type Result = Hit[] | Cursor[] | number | boolean | undefined;

// The cast is safe: `createSearchIndex` passes them.
const { file, secret } = workerData as Settings;
let store: SearchStore | undefined;

/** Runs in a worker thread, so that neither indexing nor searching blocks the event loop. */
export default function work(job: Job): Result {
  // Open it here, so that a failure to open fails only this job, and the next one tries again.
  store ??= new SearchStore(file, secret);
  try {
    return run(store, job);
  } catch (error) {
    if (!isDamage(error)) throw error;
    // The index is derived from the messages: delete it, and the next job creates a new one.
    store.close();
    store = undefined;
    removeSearchStore(file);
    throw error;
  }
}

function run(store: SearchStore, job: Job): Result {
  if (job.kind === 'find') return store.find(job.query);
  if (job.kind === 'count') return store.count(job.query);
  if (job.kind === 'tidy') return store.tidy(job.isFirst);
  if (job.kind === 'cursors') return store.cursors();
  if (job.kind === 'index') store.index(job.documents, job.cursors);
  else if (job.kind === 'forget') store.forget(job.groupId, job.upTo);
  else store.close();
  return undefined;
}
