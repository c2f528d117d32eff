import { workerData } from 'piscina';
import { isDamage } from '../database/integrity.ts';
import { removeSearchStore } from './open-store.ts';
import type { PostgresSearchStore } from './postgres-store.ts';
import type { Claim, Cursor, Hit } from './queries.ts';
import { SearchStore } from './store.ts';
import type { Document, Query } from './tokens.ts';

/** @property url of PostgreSQL, where the index is in it instead of a file */
export type Settings = { file: string; secret: Uint8Array; url: string | undefined };

export type Job =
  | { kind: 'index'; documents: readonly Document[]; cursors: readonly Cursor[] }
  | { kind: 'find'; query: Query }
  | { kind: 'count'; query: Query }
  | { kind: 'claim' }
  | { kind: 'cursors' }
  | { kind: 'tidy'; isFirst: boolean }
  | { kind: 'forget'; groupId: number; upTo?: number }
  | { kind: 'close' };

type Result = Hit[] | Cursor[] | Claim | number | boolean | undefined;

// The cast is safe: `createSearchIndex` passes them.
const { file, secret, url } = workerData as Settings;
let opened: Promise<SearchStore | PostgresSearchStore> | undefined;

/** Runs in a worker thread, so that neither indexing nor searching blocks the event loop. */
export default async function work(job: Job): Promise<Result> {
  if (job.kind === 'close' && !opened) return undefined;
  opened ??= open();
  // Where it cannot be opened, only this job fails, and the next one tries again.
  const store = await opened.catch((error) => {
    opened = undefined;
    throw error;
  });
  try {
    return await run(store, job);
  } catch (error) {
    if (!isDamage(error)) throw error;
    // The index is derived from the messages: delete it, and the next job creates a new one.
    await store.close();
    opened = undefined;
    removeSearchStore(file);
    throw error;
  }
}

async function open(): Promise<SearchStore | PostgresSearchStore> {
  if (url === undefined) return new SearchStore(file, secret);
  const { PostgresSearchStore } = await import('./postgres-store.ts');
  return new PostgresSearchStore(url, secret);
}

async function run(store: SearchStore | PostgresSearchStore, job: Job): Promise<Result> {
  if (job.kind === 'claim') return store.claim();
  if (job.kind === 'find') return store.find(job.query);
  if (job.kind === 'count') return store.count(job.query);
  if (job.kind === 'tidy') return store.tidy(job.isFirst);
  if (job.kind === 'cursors') return store.cursors();
  if (job.kind === 'index') await store.index(job.documents, job.cursors);
  else if (job.kind === 'forget') await store.forget(job.groupId, job.upTo);
  else await store.close();
  return undefined;
}
