import { z } from 'zod';
import type { SessionListStore } from '../../accounts/session-list-store.ts';
import type { AccountStore } from '../../accounts/store.ts';
import type { DraftStore } from '../../drafts/store.ts';
import { ChatError, notFound } from '../../errors.ts';
import type { ExportStore } from '../../exports/store.ts';
import { openMemberships } from '../../groups/access.ts';
import type { GroupPresenter } from '../../groups/present.ts';
import type { GroupStore } from '../../groups/store.ts';
import { visiblePeople, visiblePerson } from '../../groups/visibility.ts';
import { isZone } from '../../http/request.ts';
import type { InvitationStore } from '../../invitations/store.ts';
import type { Limits } from '../../limits.ts';
import type { MessagePresenter } from '../../messages/present.ts';
import type { MessageStore } from '../../messages/store.ts';
import type { DeviceStore } from '../../notifications/store.ts';
import { wholeNumber } from '../../operations/fields.ts';
import type { ReportStore } from '../../reports/store.ts';
import { findMessages } from '../../search/find.ts';
import type { SearchIndex } from '../../search/index.ts';
import { readQuery, searchFilters } from '../../search/query.ts';
import { SEARCHES } from '../../search/routes.ts';
import type { TokenStore } from '../../tokens/store.ts';
import {
  deviceList,
  draftList,
  exportShape,
  invitationList,
  reportList,
  sessionList,
  tokenList,
} from '../own-shapes.ts';
import { messagesOf, personOf, profileOf, timeOf, timeOrNull } from '../present.ts';
import { defineRead, type Read } from '../read.ts';
import { personList, profileShape, searchResult } from '../shapes.ts';

const LISTED = 200;
const PEOPLE = 1_000;

export type OwnReadContext = {
  accounts: AccountStore;
  groups: GroupStore;
  groupPresenter: GroupPresenter;
  messages: MessageStore;
  presenter: MessagePresenter;
  /** Undefined when search is switched off. */
  index: SearchIndex | undefined;
  limits: Limits;
  sessionList: SessionListStore;
  tokenStore: TokenStore;
  devices: DeviceStore;
  drafts: DraftStore;
  exports: ExportStore;
  invitations: InvitationStore;
  reports: ReportStore;
};

const nothing = z.object({});
/** The newest come first; a page begins below the last of the page before. */
const below = z.object({ below: wholeNumber('"below" takes the "next" of a page.').optional() });
const nextOf = (listed: readonly { id: number }[], limit: number) =>
  listed.length === limit ? (listed.at(-1)?.id ?? null) : null;
const ZONE_RULE = 'This time zone is not known here. Send one such as Europe/Berlin.';

export const ownReads: readonly Read<OwnReadContext>[] = [
  defineRead({
    name: 'get-me',
    path: '/me',
    summary: 'Your account',
    input: nothing,
    answer: profileShape,
    run: async (_context: OwnReadContext, { account }) => profileOf(account),
  }),
  defineRead({
    name: 'list-people',
    path: '/people',
    summary: 'The people whom you may know of, the newest first',
    input: below,
    answer: personList,
    async run(context: OwnReadContext, { account }, { below }) {
      const people = await visiblePeople(context, account, PEOPLE, below);
      return { items: people.map(personOf), next: nextOf(people, PEOPLE) };
    },
  }),
  defineRead({
    name: 'get-person',
    path: '/people/:personId',
    summary: 'One of them',
    input: z.object({ personId: wholeNumber('"personId" takes the number of an account.') }),
    answer: profileShape,
    run: async (context: OwnReadContext, { account }, { personId }) =>
      profileOf(await visiblePerson(context, account, personId)),
  }),
  defineRead({
    name: 'search',
    path: '/search',
    summary: 'Messages of your groups with these words, the newest first',
    input: searchFilters.extend({
      q: z.string().max(300, 'A search has at most 300 characters.').default(''),
      below: wholeNumber('"below" takes the "next" of a page.').optional(),
      zone: z
        .string(ZONE_RULE)
        .refine(isZone, ZONE_RULE)
        .default('UTC')
        .describe('In which days are counted, such as Europe/Berlin.'),
    }),
    answer: searchResult,
    async run(context: OwnReadContext, { account }, { q, below, zone, ...filters }) {
      const { index, messages, presenter, limits } = context;
      if (!index) throw new ChatError('search_off', 503, 'Search is switched off here.');
      await limits.of(SEARCHES).consume(String(account.id));
      const query = await readQuery(context, account, q, filters, zone);
      const found = await findMessages({ index, messages }, query, below);
      const items = await messagesOf(presenter, found.messages);
      return { items, total: found.total, next: found.next ?? null };
    },
  }),
  defineRead({
    name: 'list-invitations',
    path: '/invitations',
    // Its codes let people in.
    scope: 'account',
    summary: 'Your invitations, or everybody’s for an administrator, the newest first',
    input: below,
    answer: invitationList,
    async run({ invitations }: OwnReadContext, { account }, { below }) {
      const listed = await invitations.list(account.isAdmin ? undefined : account.id, LISTED, below);
      const items = listed.map(({ id, code, groupIds, forGuests, uses, maxUses, expiresAt, revokedAt }) => ({
        ...{ id, code, groupIds: [...groupIds], forGuests, used: uses, uses: maxUses },
        expiresAt: timeOrNull(expiresAt),
        isRevoked: revokedAt !== null,
      }));
      return { items, next: nextOf(listed, LISTED) };
    },
  }),
  defineRead({
    name: 'list-reports',
    path: '/reports',
    summary: 'Reports that wait for you: everybody’s for administrators, those of their groups for owners',
    input: nothing,
    answer: reportList,
    async run({ reports, messages, presenter }: OwnReadContext, { account }) {
      const waiting = await reports.waiting(account, LISTED);
      const items = waiting.map(async ({ id, groupId, seq, reason, reporterId, content, createdAt }) => {
        const message = await messages.bySeq(groupId, seq);
        const [shown = null] = message ? await messagesOf(presenter, [message]) : [];
        return {
          ...{ id, groupId, seq, reason, reporterId, content, message: shown },
          createdAt: timeOf(createdAt),
        };
      });
      return { items: await Promise.all(items), next: null };
    },
  }),
  defineRead({
    name: 'list-sessions',
    path: '/sessions',
    scope: 'account',
    summary: 'Where you are signed in with a browser',
    input: nothing,
    answer: sessionList,
    async run(context: OwnReadContext, { account }) {
      const listed = await context.sessionList.of(account.id, account.sessionEpoch);
      const items = listed.map(({ id, label, address, startedAt, usedAt }) => ({
        ...{ id, label, address, startedAt: timeOf(startedAt), usedAt: timeOf(usedAt) },
      }));
      return { items, next: null };
    },
  }),
  defineRead({
    name: 'list-tokens',
    path: '/tokens',
    scope: 'account',
    summary: 'Your tokens, without what they are',
    input: nothing,
    answer: tokenList,
    async run({ tokenStore }: OwnReadContext, { account }) {
      const now = Date.now();
      const personal = await tokenStore.inForce(account, 'personal', now);
      const items = [...personal, ...(await tokenStore.inForce(account, 'sign-in', now))].map(
        ({ id, label, kind, scopes, createdAt, expiresAt, usedAt }) => ({
          ...{ id, label, kind, scopes: [...scopes], createdAt: timeOf(createdAt) },
          ...{ expiresAt: timeOrNull(expiresAt), usedAt: timeOrNull(usedAt) },
        }),
      );
      return { items, next: null };
    },
  }),
  defineRead({
    name: 'list-drafts',
    path: '/drafts',
    summary: 'What you have begun to write',
    input: nothing,
    answer: draftList,
    async run({ drafts, groups }: OwnReadContext, { account }) {
      const memberships = await openMemberships(groups, account);
      const readable = (await drafts.of(account.id)).filter(({ groupId }) => memberships.has(groupId));
      const items = readable.map(({ groupId, thread, text }) => ({ groupId, thread: thread || null, text }));
      return { items, next: null };
    },
  }),
  defineRead({
    name: 'get-export',
    path: '/account/export',
    scope: 'account',
    summary: 'How far the archive of what is yours is; /account/export/archive has it once it is ready',
    input: nothing,
    answer: exportShape,
    async run({ exports }: OwnReadContext, { account }) {
      const made = await exports.of(account.id);
      if (!made) throw notFound('There is no archive. Make one first.');
      const { state, size, done, total, createdAt } = made;
      return { state, size, done, total, createdAt: timeOf(createdAt) };
    },
  }),
  defineRead({
    name: 'list-devices',
    path: '/devices',
    scope: 'account',
    summary: 'The browsers that take your notifications',
    input: nothing,
    answer: deviceList,
    async run({ devices }: OwnReadContext, { account }) {
      const items = (await devices.of(account.id)).map(({ id, label }) => ({ id, label }));
      return { items, next: null };
    },
  }),
];
