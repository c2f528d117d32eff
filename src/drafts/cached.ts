import { type Cached, type Caches, on } from '../cache/caches.ts';
import type { Database } from '../database/executor.ts';
import type { Sealer } from '../database/sealed-columns.ts';
import { draftChanged } from './events.ts';
import { type DraftPlace, DraftStore } from './store.ts';

const MAX_CHARACTERS = 4_000_000;
/** What an entry takes beside its text, counted in characters. */
const BESIDE_TEXT = 100;

/** The store, with drafts kept opened in memory: every page of a conversation asks, and most have none. */
export class CachedDraftStore extends DraftStore {
  readonly #drafts: Cached<DraftPlace, string>;

  constructor(db: Database, sealer: Sealer, { cached }: Caches) {
    super(db, sealer);
    this.#drafts = cached({
      name: 'drafts',
      key: ({ accountId, groupId, thread }) => `${accountId}/${groupId}/${thread}`,
      maxSize: MAX_CHARACTERS,
      sizeOf: (text) => text.length + BESIDE_TEXT,
      load: (place) => super.read(place),
      dropOn: [on(draftChanged, (place, cache) => cache.drop(place))],
    });
  }

  override read(place: DraftPlace): Promise<string> {
    return this.#drafts.get(place);
  }
}
