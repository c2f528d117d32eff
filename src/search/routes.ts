import { type Request, Router } from 'express';
import { accountOf } from '../accounts/access.ts';
import type { AccountStore } from '../accounts/store.ts';
import { ChatError } from '../errors.ts';
import type { GroupPage } from '../groups/page.ts';
import type { GroupPresenter } from '../groups/present.ts';
import type { GroupStore } from '../groups/store.ts';
import { createRateLimit } from '../http/rate-limit.ts';
import { numberInQuery, zoneOf } from '../http/request.ts';
import { type Html, sendHtml } from '../http/views.ts';
import type { MessageStore } from '../messages/store.ts';
import { findMessages } from './find.ts';
import type { SearchIndex } from './index.ts';
import { shownHit } from './present.ts';
import { MAX_QUERY_CHARACTERS, readQuery } from './query.ts';

const SEARCHES = { points: 120, seconds: 60, sentence: 'That is a lot of searching.' };

type Dependencies = {
  page: GroupPage;
  accounts: AccountStore;
  groups: GroupStore;
  groupPresenter: GroupPresenter;
  messages: MessageStore;
  /** Undefined where none is kept. */
  index: SearchIndex | undefined;
  rateLimits: boolean;
};

/** `GET /search?q=…`: the newest hits first, `&below=` the next page. */
export function searchRoutes(dependencies: Dependencies): Router {
  const { page, accounts, messages, index, rateLimits } = dependencies;
  const rate = createRateLimit(SEARCHES, rateLimits);

  async function results(request: Request, typed: string) {
    const account = accountOf(request);
    if (!index) throw new ChatError('search_off', 503, 'Search is switched off here.');
    await rate.take(String(account.id));
    const query = await readQuery(dependencies, account, typed, zoneOf(request));
    const found = await findMessages({ index, messages }, query, numberInQuery(request, 'below'));
    const groups = new Map(query.groups.map((group) => [group.id, group]));
    const hits = await Promise.all(
      found.messages.flatMap((message) => {
        const group = groups.get(message.groupId);
        return group ? [shownHit(accounts, message, group, query.phrases)] : [];
      }),
    );
    return { hits, next: found.next ?? null };
  }

  async function searchPage(request: Request): Promise<{ html: Html; status: number }> {
    const typed = typeof request.query.q === 'string' ? request.query.q : '';
    const shown = { typed: typed.slice(0, 2 * MAX_QUERY_CHARACTERS), hits: [], next: null, error: null };
    try {
      const found = typed.trim() === '' ? shown : { ...shown, ...(await results(request, typed)) };
      return { html: await page(request, 'search/results.njk', found), status: 200 };
    } catch (error) {
      if (!(error instanceof ChatError) || error.status === 401) throw error;
      return { html: await page(request, 'search/results.njk', { ...shown, error }), status: error.status };
    }
  }

  return Router().get('/search', async (request, response) => {
    const { html, status } = await searchPage(request);
    sendHtml(response, html, status);
  });
}
