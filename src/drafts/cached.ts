import { type Caches, on } from '../cache/caches.ts';
import { draftChanged } from './events.ts';
import type { DraftPlace, DraftStore } from './store.ts';

const MAX_CHARACTERS = 4_000_000;
/** What an entry takes beside its text, counted in characters. */
const BESIDE_TEXT = 100;

/** The store, with drafts kept opened in memory: every page of a conversation asks, and most have none. */
export function cacheDrafts(store: DraftStore, { cached }: Caches): DraftStore {
  const drafts = cached<DraftPlace, string>({
    name: 'drafts',
    key: ({ accountId, groupId, thread }) => `${accountId}/${groupId}/${thread}`,
    maxSize: MAX_CHARACTERS,
    sizeOf: (text) => text.length + BESIDE_TEXT,
    load: store.read,
    dropOn: [on(draftChanged, (place, cache) => cache.drop(place))],
  });
  return { ...store, read: drafts.get };
}
