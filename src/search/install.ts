import { join } from 'node:path';
import type { AccountStore } from '../accounts/store.ts';
import type { Context } from '../context.ts';
import type { GroupPresenter } from '../groups/present.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import type { GroupStore } from '../groups/store.ts';
import type { MessageStore } from '../messages/store.ts';
import { SearchFeed } from './feed.ts';
import { createSearchIndex } from './index.ts';
import { removeSearchStore } from './open-store.ts';
import { searchRoutes } from './routes.ts';
import type { Query } from './tokens.ts';

/** Finds messages; with SEARCH_INDEX=off nothing is indexed or found. */
export async function installSearch(
  context: Context & {
    accounts: AccountStore;
    groups: GroupStore;
    groupPresenter: GroupPresenter;
    page: SidebarPage;
    messages: MessageStore;
  },
) {
  const { config, secret, report, atStop } = context;
  const url = config.databaseUrl;
  const file = join(config.dataDir, 'search.sqlite3');
  // What is not kept up to date would keep words of messages that are removed.
  if (!config.searchIndex || url !== undefined) removeSearchStore(file);
  if (!config.searchIndex && url !== undefined)
    await (await import('./postgres-store.ts')).emptyPostgresIndex(url);
  if (!config.searchIndex)
    return { index: undefined, searchRoutes: searchRoutes({ ...context, index: undefined }) };
  const written = createSearchIndex({ file, secret: await secret('chat', 'search'), url }, report);
  const feed = new SearchFeed({ ...context, index: written });
  atStop(() => feed.stop());
  const index = { ...written, find: (query: Query) => feed.catchUp().then(() => written.find(query)) };
  return { index, searchRoutes: searchRoutes({ ...context, index }) };
}
