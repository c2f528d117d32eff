import type { Request } from 'express';
import { accountChanged } from '../accounts/events.ts';
import type { Account } from '../accounts/store.ts';
import { type Cached, type Caches, type Drop, on } from '../cache/caches.ts';
import { draftChanged } from '../drafts/events.ts';
import type { DraftStore } from '../drafts/store.ts';
import { invalid } from '../errors.ts';
import type { FileLimits } from '../files/receive.ts';
import type { FileStore } from '../files/store.ts';
import type { OpenGroup } from '../groups/access.ts';
import {
  groupAccessChanged,
  groupAdvanced,
  groupCreated,
  groupRenamed,
  groupSettingsChanged,
  joinRequestsChanged,
  memberJoined,
  memberLeft,
  membershipsChanged,
  messagesPurged,
  readMoved,
} from '../groups/events.ts';
import { notificationLevelOf } from '../groups/group.ts';
import type { JoinRequestStore } from '../groups/join-request-store.ts';
import { groupTopic } from '../groups/live.ts';
import { MAX_REQUESTS } from '../groups/live-requests.ts';
import { isOwner, refuseWriting } from '../groups/policies.ts';
import { type GroupPresenter, unreadOf } from '../groups/present.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import type { GroupStore } from '../groups/store.ts';
import { isScripted, numberInQuery } from '../http/request.ts';
import { themeOf } from '../http/theme.ts';
import { asHtml, type Html, type Packed, pack } from '../http/views.ts';
import { presenceChanged } from '../presence/events.ts';
import type { PresencePresenter } from '../presence/present.ts';
import { OVERALL } from '../presence/track.ts';
import type { Seen } from '../receipts/seen.ts';
import { threadsChanged } from '../threads/events.ts';
import { type Composer, composerOf } from './composer.ts';
import { inboxChanged, reportsChanged } from './events.ts';
import { type MessagePage, PAGE_MESSAGES, readHistory, UNREAD_ON_NEWEST } from './history.ts';
import type { MessageOrderStore } from './order-store.ts';
import type { MessagePresenter } from './present.ts';
import { seqAt } from './seq-at.ts';
import type { MessageStore } from './store.ts';

/** In bytes, compressed: some two thousand pages. */
const CACHED_PAGES = 24_000_000;

export type ConversationPageDependencies = {
  page: SidebarPage;
  groups: GroupStore;
  joinRequests: JoinRequestStore;
  groupPresenter: GroupPresenter;
  messages: MessageStore;
  messageOrder: MessageOrderStore;
  presenter: MessagePresenter;
  presence: PresencePresenter;
  seen: Seen;
  drafts: DraftStore;
  files: FileStore;
  fileLimits: FileLimits;
  caches: Caches;
  /** Whether speech becomes text here. */
  hasSpeech: boolean;
  seesAddresses(account: Account): boolean;
};

type PageKey = { request: Request; open: OpenGroup };
type KeptPage = { packed: Packed; groupIds: readonly number[] };
type PageCache = Pick<Cached<PageKey, KeptPage>, 'dropTag' | 'clear'>;

const ofEverybody = (_payload: unknown, cache: PageCache) => cache.clear();
const ofAccount = ({ accountId }: { accountId: number }, cache: PageCache) =>
  cache.dropTag(`account ${accountId}`);
/** Drops the pages of every account that has the group in its list. */
const ofGroup = ({ groupId }: { groupId: number }, cache: PageCache) => cache.dropTag(`group ${groupId}`);
/** Drops every page on which the group is open. */
const ofOpenGroup = ({ groupId }: { groupId: number }, cache: PageCache) =>
  cache.dropTag(groupTopic(groupId));

/** Everything that a cached page shows needs an entry here for the event that changes it. */
const DROPS: readonly Drop<PageKey, KeptPage>[] = [
  ...[accountChanged, groupCreated, groupRenamed, groupAccessChanged].map((event) => on(event, ofEverybody)),
  on(joinRequestsChanged, ofOpenGroup),
  on(reportsChanged, ofEverybody),
  on(inboxChanged, ofEverybody),
  ...[groupAdvanced, groupSettingsChanged].map((event) =>
    on<{ groupId: number }, PageKey, KeptPage>(event, ofGroup),
  ),
  on(messagesPurged, ofGroup),
  on(membershipsChanged, ({ groupId, accountIds }, cache) => {
    if (accountIds) for (const accountId of accountIds) ofAccount({ accountId }, cache);
    else ofGroup({ groupId }, cache);
  }),
  ...[memberJoined, memberLeft, readMoved].map((event) =>
    on<{ groupId: number; accountId: number }, PageKey, KeptPage>(event, (payload, cache) => {
      ofAccount(payload, cache);
      // Pages with the group open show its members, and the read receipts below its newest message.
      ofOpenGroup(payload, cache);
    }),
  ),
  ...[draftChanged, threadsChanged].map((event) =>
    on<{ accountId: number }, PageKey, KeptPage>(event, ofAccount),
  ),
  on(presenceChanged, ({ topic }, cache) => (topic === OVERALL ? cache.clear() : cache.dropTag(topic))),
];

/** The page of a conversation. */
export class ConversationPage {
  readonly #dependencies: ConversationPageDependencies;
  readonly #pages: Cached<PageKey, KeptPage>;

  constructor(dependencies: ConversationPageDependencies) {
    this.#dependencies = dependencies;
    this.#pages = dependencies.caches.cached<PageKey, KeptPage>({
      name: 'conversation pages',
      // The account, the group, and everything of the request that the page depends on.
      key: ({ request, open: { account, group } }) =>
        `${account.id}/${group.id}/${themeOf(request)}/${isScripted(request)}/${request.arrival.isSecure}/${request.arrival.way}`,
      maxSize: CACHED_PAGES,
      sizeOf: ({ packed }) => packed.gzip.length,
      load: (key) => this.#load(key),
      // The page shows the account's groups, and the people in the open one.
      tagsOf: ({ groupIds }, { open: { account, group } }) => [
        `account ${account.id}`,
        ...groupIds.map((id) => `group ${id}`),
        groupTopic(group.id),
      ],
      dropOn: DROPS,
    });
  }

  /** The compressed page for a URL without a query, cached until something on it changes. */
  async kept(request: Request, open: OpenGroup): Promise<Packed> {
    return (await this.#pages.get({ request, open })).packed;
  }

  async render(
    request: Request,
    open: OpenGroup,
    messagePage: MessagePage,
    composer: Composer,
  ): Promise<Html> {
    const { groups, groupPresenter, joinRequests, messages, presenter, presence, seen } = this.#dependencies;
    const { account } = open;
    const group = await groupPresenter.named(open.group, account.id);
    return this.#dependencies.page(
      request,
      'messages/conversation.njk',
      {
        group,
        members: await groups.countMembers(group.id),
        thread: null,
        headcount: asHtml(await presence.headcount(group)),
        aside: asHtml(await presence.aside(group, this.#dependencies.seesAddresses(account), account)),
        older: messagePage.hasOlder ? (messagePage.messages[0]?.seq ?? null) : null,
        newer: messagePage.hasNewer ? (messagePage.messages.at(-1)?.seq ?? 0) + PAGE_MESSAGES / 2 : null,
        readSeq: open.membership.readSeq,
        unread: unreadHere(messagePage, open),
        firstUnread: firstUnread(messagePage, open) ?? null,
        lastShown: messagePage.messages.at(-1)?.seq ?? 0,
        fileLimit: this.#dependencies.fileLimits.file,
        hasSpeech: this.#dependencies.hasSpeech,
        notificationLevel: notificationLevelOf(open.group, open.membership),
        readOnly: refuseWriting(open)?.message ?? null,
        requests: isOwner(open) ? (await joinRequests.of(group.id, MAX_REQUESTS)).length : null,
        pins: await messages.countPinned(group.id),
        isReported: request.query.reported !== undefined,
        seen: asHtml(account.showsReceipts && !messagePage.hasNewer ? await seen.line(group) : ''),
        ...composer,
      },
      {
        openGroupId: group.id,
        parts: { messages: await presenter.list(group, messagePage, firstUnread(messagePage, open)) },
      },
    );
  }

  /**
   * Reads the requested part of the history, at a message. Otherwise the newest messages, or, if scripts run in the
   * browser (they report the read position) and many messages are unread, those around the first unread.
   */
  async readAsked(request: Request, open: OpenGroup): Promise<MessagePage> {
    const { messages } = this.#dependencies;
    const before = numberInQuery(request, 'before');
    const around = numberInQuery(request, 'around');
    if (before !== undefined) return readHistory(messages, open, { before });
    if (around !== undefined) return readHistory(messages, open, { around });
    const isAtNewest = request.query.newest !== undefined || !isScripted(request);
    const unread = unreadOf(open.group, open.membership);
    const place = isAtNewest || unread <= UNREAD_ON_NEWEST ? {} : { around: open.membership.readSeq + 1 };
    return readHistory(messages, open, place);
  }

  /** The first message of the day or time that is asked for; undefined where none is, or nothing is written. */
  async firstAsked(request: Request, { group }: OpenGroup): Promise<number | undefined> {
    const since = numberInQuery(request, 'since') ?? dayInQuery(request);
    if (since === undefined || group.lastSeq <= group.purgedSeq) return undefined;
    const { messages, messageOrder } = this.#dependencies;
    return seqAt(messages, messageOrder, group, since);
  }

  async #load({ request, open }: PageKey): Promise<KeptPage> {
    const messagePage = await this.readAsked(request, open);
    const composer = await composerOf(this.#dependencies, request, open, 0);
    const groupIds = [...(await this.#dependencies.groups.membershipsOf(open.account.id)).keys()];
    return { packed: await pack(await this.render(request, open, messagePage, composer)), groupIds };
  }
}

/** How many messages are unread: none where all of them are shown and one's own, as one that was sent a moment ago. */
function unreadHere(page: MessagePage, open: OpenGroup): number {
  const { group, membership } = open;
  const [oldest] = page.messages;
  const isAllShown = !page.hasNewer && oldest !== undefined && oldest.seq <= membership.readSeq + 1;
  return isAllShown && firstUnread(page, open) === undefined ? 0 : unreadOf(group, membership);
}

/** The first unread message of another author. */
function firstUnread({ messages }: MessagePage, { account, membership }: OpenGroup): number | undefined {
  return messages.find((message) => message.seq > membership.readSeq && message.authorId !== account.id)?.seq;
}

/** Start of the `day` that the form sends without scripts, in the server's time zone. @throws ChatError 400 */
function dayInQuery(request: Request): number | undefined {
  const { day } = request.query;
  if (day === undefined || day === '') return undefined;
  const time = new Date(`${day}T00:00`).getTime();
  if (typeof day === 'string' && /^\d{4}-\d\d-\d\d$/.test(day) && !Number.isNaN(time)) return time;
  throw invalid('day', 'Choose a day such as 2026-11-21.');
}
