import { type Cached, type Caches, on } from '../cache/caches.ts';
import type { Database } from '../database/executor.ts';
import { siteSettingsChanged } from './events.ts';
import { type SiteSettings, SiteSettingsStore } from './store.ts';

/** The store, with the settings kept in memory. */
export class CachedSiteSettingsStore extends SiteSettingsStore {
  readonly #settings: Cached<'all', SiteSettings>;

  constructor(db: Database, { cached }: Caches) {
    super(db);
    this.#settings = cached({
      name: 'site settings',
      key: () => 'all',
      max: 1,
      load: () => super.read(),
      dropOn: [on(siteSettingsChanged, (_payload, cache) => cache.clear())],
    });
  }

  override read(): Promise<SiteSettings> {
    return this.#settings.get('all');
  }
}
