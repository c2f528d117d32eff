import { GONE_NAME } from '../accounts/account.ts';
import { accountChanged } from '../accounts/events.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import { type Cached, type Caches, type Drop, on } from '../cache/caches.ts';
import type { Views } from '../http/views.ts';
import {
  groupAccessChanged,
  groupAdvanced,
  groupCreated,
  groupRenamed,
  memberJoined,
  memberLeft,
  membershipsChanged,
  readMoved,
} from './events.ts';
import { type Group, type Membership, notificationLevelOf } from './group.ts';
import { MAX_PEOPLE } from './open-direct.ts';
import { isListed } from './policies.ts';
import type { GroupStore } from './store.ts';

const CACHED_ROWS = 20_000;
/** In bytes. */
const CACHED_LISTS = 32_000_000;

/** Rendered rows of an account's groups, its direct conversations and the groups it could join, as page bytes. */
export type GroupList = Readonly<{ mine: Buffer; directs: Buffer; others: Buffer }>;

type RowState = { group: Group; isMember: boolean; unread: number; isMentioned: boolean; isOpen: boolean };
type NameKey = { groupId: number; accountId: number };
type ListKey = { accountId: number; openGroupId: number | undefined };
type List = GroupList & { groupIds: readonly number[] };

/** How many messages a member has not read. */
export function unreadOf(group: Group, membership: Membership): number {
  return Math.max(0, group.lastSeq - membership.readSeq - membership.removedUnread);
}

/** Whether this member has an unread mention. */
export function isMentionUnread({ lastMentionSeq, readSeq }: Membership): boolean {
  return lastMentionSeq > readSeq;
}

/** Whether a member's group is left out of the list: it is archived, or hidden without an unread mention, and not open. */
export function isHidden(group: Group, membership: Membership | undefined, openGroupId?: number): boolean {
  if (!membership || group.id === openGroupId) return false;
  if (group.archivedAt !== null) return true;
  return notificationLevelOf(group, membership) === 'hidden' && !isMentionUnread(membership);
}

/** Renders the list of groups. Rows are cached, so that a list of hundreds is concatenated, not rendered. */
export class GroupPresenter {
  readonly #views: Views;
  readonly #groups: GroupStore;
  readonly #accounts: AccountStore;
  readonly #names: Cached<NameKey, string>;
  readonly #rows: (state: RowState) => string;
  readonly #lists: Cached<ListKey, List>;

  constructor(views: Views, groups: GroupStore, accounts: AccountStore, { cached, memo }: Caches) {
    this.#views = views;
    this.#groups = groups;
    this.#accounts = accounts;
    this.#names = cached({
      name: 'names of direct conversations',
      key: ({ groupId, accountId }) => `${groupId}/${accountId}`,
      max: CACHED_ROWS,
      load: (key) => this.#nameOfDirect(key),
      dropOn: [on(accountChanged, (_payload, cache) => cache.clear())],
    });
    this.#rows = memo({
      name: 'rows of groups',
      // All that a row shows.
      key: ({ group: { id, name }, isMember, unread, isMentioned, isOpen }) =>
        `${id} ${isMember} ${unread} ${isMentioned} ${isOpen} ${name}`,
      max: CACHED_ROWS,
      make: (state) => views.render('groups/_row.njk', state).trim(),
      dropOn: [],
    });
    this.#lists = cached({
      name: 'lists of groups',
      key: ({ accountId, openGroupId }) => `${accountId}/${openGroupId}`,
      maxSize: CACHED_LISTS,
      sizeOf: ({ mine, directs, others }) => mine.length + directs.length + others.length,
      load: (key) => this.#listOf(key),
      tagsOf: ({ groupIds }, { accountId }) => [
        `account ${accountId}`,
        ...groupIds.map((id) => `group ${id}`),
      ],
      dropOn: DROP_LISTS_ON,
    });
  }

  /** One row of the list of groups, as it stands on pages and as it is pushed; `isOpen` is for pages only. */
  row(group: Group, membership: Membership | undefined, isOpen = false): string {
    const unread = membership ? unreadOf(group, membership) : 0;
    const isMentioned = membership ? isMentionUnread(membership) : false;
    return this.#rows({ group, isMember: membership !== undefined, unread, isMentioned, isOpen });
  }

  /** The same as it is pushed: a hidden one stays in the list of its own page only. */
  pushedRow(group: Group, membership: Membership | undefined): string {
    const row = this.row(group, membership);
    return isHidden(group, membership) ? row.replace('data-live="place"', 'data-live="hide"') : row;
  }

  /** The menu of what of a group its reader is told, as it is pushed. */
  notificationLevel(group: Group, membership: Membership): string {
    const notificationLevel = notificationLevelOf(group, membership);
    return this.#views.render('groups/_notification-level.njk', { group, notificationLevel }).trim();
  }

  /** The group with its name as this account sees it: a direct conversation is named after its other members. */
  async named(group: Group, accountId: number): Promise<Group> {
    if (group.kind === 'group') return group;
    if (group.lineOf === accountId) return { ...group, name: 'Administrators' };
    if (group.lineOf !== null)
      return { ...group, name: (await this.#accounts.byId(group.lineOf))?.name ?? GONE_NAME };
    return { ...group, name: await this.#names.get({ groupId: group.id, accountId }) };
  }

  /** A group that can be joined, on the page of groups and as it is pushed there. */
  async offer(group: Group): Promise<string> {
    const members = await this.#groups.countMembers(group.id);
    return this.#views.render('groups/_offer.njk', { group, members }).trim();
  }

  /** The whole list for one person. */
  list({ id }: Account, openGroupId?: number): Promise<GroupList> {
    return this.#lists.get({ accountId: id, openGroupId });
  }

  async #nameOfDirect({ groupId, accountId }: NameKey) {
    const ids = await this.#groups.members(groupId, MAX_PEOPLE);
    const others = ids.filter((id) => id !== accountId);
    const people = await Promise.all((others.length > 0 ? others : ids).map((id) => this.#accounts.byId(id)));
    const names = people.map((person) => person?.name ?? GONE_NAME).join(', ');
    return others.length > 0 ? names : `${names} (you)`;
  }

  /** Renders the direct conversations. One without messages is listed only while it is open. */
  async #directsOf(
    memberships: ReadonlyMap<number, Membership>,
    accountId: number,
    openGroupId: number | undefined,
  ): Promise<string> {
    const namedGroups: Group[] = [];
    for (const [id, group] of await this.#groups.byIds([...memberships.keys()])) {
      // Administrators find the lines of others in the inbox.
      if (group.lineOf !== null && group.lineOf !== accountId) continue;
      const isShown = group.lastSeq > 0 || id === openGroupId || group.lineOf !== null;
      if (group.kind === 'direct' && isShown && !isHidden(group, memberships.get(id), openGroupId))
        namedGroups.push(await this.named(group, accountId));
    }
    const { compare } = new Intl.Collator(undefined, { sensitivity: 'base', numeric: true });
    return namedGroups
      .sort((a, b) => compare(a.name, b.name) || a.id - b.id)
      .map((group) => this.row(group, memberships.get(group.id), group.id === openGroupId))
      .join('');
  }

  async #listOf({ accountId, openGroupId }: ListKey): Promise<List> {
    const memberships = await this.#groups.membershipsOf(accountId);
    const isGuest = (await this.#accounts.byId(accountId))?.isGuest ?? true;
    let mine = '';
    let others = '';
    for (const group of await this.#groups.all()) {
      const membership = memberships.get(group.id);
      const html = this.row(group, membership, group.id === openGroupId);
      if (!isListed(group, membership, { isGuest })) continue;
      if (!membership) others += html;
      else if (!isHidden(group, membership, openGroupId)) mine += html;
    }
    return {
      groupIds: [...memberships.keys()],
      mine: Buffer.from(mine),
      directs: Buffer.from(await this.#directsOf(memberships, accountId, openGroupId)),
      others: Buffer.from(others),
    };
  }
}

const DROP_LISTS_ON: readonly Drop<ListKey, List>[] = [
  ...[accountChanged, groupCreated, groupRenamed, groupAccessChanged].map((event) =>
    on(event, (_payload: unknown, cache: { clear(): void }) => cache.clear()),
  ),
  on(groupAdvanced, ({ groupId }, cache) => cache.dropTag(`group ${groupId}`)),
  ...[memberJoined, memberLeft, readMoved].map((event) =>
    on<{ accountId: number }, ListKey, List>(event, ({ accountId }, cache) =>
      cache.dropTag(`account ${accountId}`),
    ),
  ),
  on(membershipsChanged, ({ groupId, accountIds }, cache) => {
    if (accountIds) for (const id of accountIds) cache.dropTag(`account ${id}`);
    else cache.dropTag(`group ${groupId}`);
  }),
];
