import { type Request, Router } from 'express';
import { accountOf } from '../accounts/access.ts';
import type { AccountStore } from '../accounts/store.ts';
import { ChatError } from '../errors.ts';
import type { Group } from '../groups/group.ts';
import type { GroupPresenter } from '../groups/present.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import type { GroupStore } from '../groups/store.ts';
import { visiblePeople } from '../groups/visibility.ts';
import { numberInQuery, zoneOf } from '../http/request.ts';
import { type Html, sendHtml } from '../http/views.ts';
import type { Limits } from '../limits.ts';
import type { MessageStore } from '../messages/store.ts';
import { parseInput } from '../operations/define.ts';
import { findMessages, MAX_COUNTED } from './find.ts';
import type { SearchIndex } from './index.ts';
import { shownHit } from './present.ts';
import {
  HAS,
  MAX_QUERY_CHARACTERS,
  readable,
  readQuery,
  type SearchFilters,
  searchFilters,
} from './query.ts';
import { fold } from './words.ts';

export const SEARCHES = {
  name: 'searches',
  points: 120,
  seconds: 60,
  sentence: 'That is a lot of searching.',
};

/** Conversations whose name has what was typed. */
const MAX_NAMED = 8;
const MIN_TYPED = 2;

const FILTERS = ['from', 'in', 'since', 'until', 'has'] as const;
/** The newest people are offered; others are typed as from:NAME. */
const MAX_PEOPLE = 200;

type Dependencies = {
  page: SidebarPage;
  accounts: AccountStore;
  groups: GroupStore;
  groupPresenter: GroupPresenter;
  messages: MessageStore;
  /** Undefined when search is switched off. */
  index: SearchIndex | undefined;
  limits: Limits;
};

/** `GET /search?q=…`: the newest hits first, `&below=` the next page. */
export function searchRoutes(dependencies: Dependencies): Router {
  const { page, accounts, messages, index, limits } = dependencies;
  const rate = limits.of(SEARCHES);

  async function results(request: Request, typed: string, filters: SearchFilters) {
    const account = accountOf(request);
    if (!index) throw new ChatError('search_off', 503, 'Search is switched off here.');
    await rate.consume(String(account.id));
    const query = await readQuery(dependencies, account, typed, filters, zoneOf(request));
    const result = await findMessages({ index, messages }, query, numberInQuery(request, 'below'));
    const groups = new Map(query.groups.map((group) => [group.id, group]));
    const hits = await Promise.all(
      result.messages.flatMap((message) => {
        const group = groups.get(message.groupId);
        return group ? [shownHit(accounts, message, group, query.phrases)] : [];
      }),
    );
    return { hits, next: result.next ?? null, total: result.total };
  }

  /** What the filters offer. */
  async function choices(request: Request) {
    const account = accountOf(request);
    const [people, conversations] = await Promise.all([
      visiblePeople(dependencies, account, MAX_PEOPLE),
      readable(dependencies.groups, dependencies.groupPresenter, account),
    ]);
    const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name);
    return { people: people.sort(byName), conversations: conversations.sort(byName), has: HAS };
  }

  async function searchPage(request: Request): Promise<{ html: Html; status: number }> {
    const word = (name: string) => {
      const value = request.query[name];
      return typeof value === 'string' ? value.slice(0, 2 * MAX_QUERY_CHARACTERS) : '';
    };
    const typed = word('q');
    const chosen = Object.fromEntries(FILTERS.map((name) => [name, word(name)]));
    const isFiltered = FILTERS.some((name) => chosen[name] !== '');
    const asked = new URLSearchParams([['q', typed], ...Object.entries(chosen).filter(([, value]) => value)]);
    const offered = await choices(request);
    const shown = {
      typed,
      chosen,
      isFiltered,
      isAsked: typed.trim() !== '' || isFiltered,
      address: `/search?${asked}`,
      ...offered,
      named: isFiltered ? [] : named(offered.conversations, typed),
      hits: [],
      next: null,
      total: 0,
      mostCounted: MAX_COUNTED,
      error: null,
    };
    try {
      const filters = parseInput(searchFilters, chosen);
      const found = shown.isAsked ? { ...shown, ...(await results(request, typed, filters)) } : shown;
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

function named(conversations: readonly Group[], typed: string): Group[] {
  const wanted = fold(typed.trim().replace(/^[#@]/, ''));
  if (wanted.length < MIN_TYPED) return [];
  return conversations.filter(({ name }) => fold(name).includes(wanted)).slice(0, MAX_NAMED);
}
