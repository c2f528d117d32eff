import { LRUCache } from 'lru-cache';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { Views } from '../http/views.ts';
import { MAX_PEOPLE } from './open-direct.ts';
import { type Group, type GroupStore, type Membership, notificationLevelOf } from './store.ts';

const CACHED_ROWS = 20_000;
/** In bytes. */
const CACHED_LISTS = 32_000_000;

export type GroupPresenter = {
  /** One row of the list of groups, as it stands on pages and as it is pushed; `isOpen` is for pages only. */
  row(group: Group, membership: Membership | undefined, isOpen?: boolean): string;
  /** The group with the name that somebody sees: a direct conversation is called after the others in it. */
  named(group: Group, accountId: number): Promise<Group>;
  /** A group that can be joined, on the page of groups and as it is pushed there. */
  offer(group: Group): Promise<string>;
  /** Forgets what was rendered, because somebody is called otherwise. */
  forget(): void;
  /** The whole list for one person. */
  list(account: Account, openGroupId?: number): Promise<GroupList>;
};

/** The rows of the groups that somebody is in, of their direct conversations, and of groups that they could join, as bytes to be set into a page. */
export type GroupList = Readonly<{ mine: Buffer; directs: Buffer; others: Buffer }>;

/** How many messages a member has not read. */
export function unreadOf(group: Group, membership: Membership): number {
  return Math.max(0, group.lastSeq - membership.readSeq - membership.removedUnread);
}

/** Whether a message that this member has not read calls them. */
export function isMentionUnread({ lastMentionSeq, readSeq }: Membership): boolean {
  return lastMentionSeq > readSeq;
}

/** Whether a group stays out of the list: hidden, neither open right now nor calling this member. */
export function isHidden(group: Group, membership: Membership | undefined, openGroupId?: number): boolean {
  if (!membership || notificationLevelOf(group, membership) !== 'hidden') return false;
  return group.id !== openGroupId && !isMentionUnread(membership);
}

/** Rows are rendered once and kept; a page of hundreds of groups is then joined, not rendered. */
export function createGroupPresenter(
  views: Views,
  groups: GroupStore,
  accounts: AccountStore,
): GroupPresenter {
  const names = new LRUCache<string, string>({ max: CACHED_ROWS });
  const rows = new LRUCache<string, string>({ max: CACHED_ROWS });
  const lists = new LRUCache<string, { version: number; list: GroupList }>({
    maxSize: CACHED_LISTS,
    sizeCalculation: ({ list }) => list.mine.length + list.directs.length + list.others.length + 1,
  });

  function row(group: Group, membership: Membership | undefined, isOpen = false): string {
    const unread = membership ? unreadOf(group, membership) : 0;
    const isMentioned = membership ? isMentionUnread(membership) : false;
    const key = `${group.id} ${membership ? unread : '-'} ${isMentioned} ${isOpen} ${group.name}`;
    const cachedRow = rows.get(key);
    if (cachedRow !== undefined) return cachedRow;
    const html = views
      .render('groups/_row.njk', { group, isMember: membership !== undefined, unread, isMentioned, isOpen })
      .trim();
    rows.set(key, html);
    return html;
  }

  async function named(group: Group, accountId: number): Promise<Group> {
    if (group.kind === 'group') return group;
    const key = `${group.id}/${accountId}`;
    const name = names.get(key) ?? (await nameOfDirect(group.id, accountId));
    names.set(key, name);
    return { ...group, name };
  }

  async function nameOfDirect(groupId: number, accountId: number): Promise<string> {
    const ids = await groups.members(groupId, MAX_PEOPLE);
    const others = ids.filter((id) => id !== accountId);
    const people = await Promise.all((others.length > 0 ? others : ids).map((id) => accounts.byId(id)));
    const names = people.map((person) => person?.name ?? 'Somebody who left').join(', ');
    return others.length > 0 ? names : `${names} (you)`;
  }

  /** A direct conversation is in the list once something is said in it. */
  async function directsOf(
    memberships: ReadonlyMap<number, Membership>,
    accountId: number,
    openGroupId: number | undefined,
  ): Promise<string> {
    const namedGroups: Group[] = [];
    for (const id of memberships.keys()) {
      const group = await groups.byId(id);
      const isShown = group && (group.lastSeq > 0 || id === openGroupId);
      if (group?.kind === 'direct' && isShown && !isHidden(group, memberships.get(id), openGroupId))
        namedGroups.push(await named(group, accountId));
    }
    const { compare } = new Intl.Collator(undefined, { sensitivity: 'base', numeric: true });
    return namedGroups
      .sort((a, b) => compare(a.name, b.name) || a.id - b.id)
      .map((group) => row(group, memberships.get(group.id), group.id === openGroupId))
      .join('');
  }

  return {
    row,
    named,
    forget() {
      for (const cache of [names, rows, lists]) cache.clear();
    },
    async offer(group) {
      return views
        .render('groups/_offer.njk', { group, members: await groups.countMembers(group.id) })
        .trim();
    },
    async list(account, openGroupId) {
      const key = `${account.id}/${openGroupId}`;
      const version = groups.version();
      const cachedList = lists.get(key);
      if (cachedList?.version === version) return cachedList.list;
      const memberships = await groups.membershipsOf(account.id);
      let mine = '';
      let others = '';
      for (const group of await groups.all()) {
        const membership = memberships.get(group.id);
        const html = row(group, membership, group.id === openGroupId);
        if (membership) {
          if (!isHidden(group, membership, openGroupId)) mine += html;
        } else {
          others += html;
        }
      }
      const list = {
        mine: Buffer.from(mine),
        directs: Buffer.from(await directsOf(memberships, account.id, openGroupId)),
        others: Buffer.from(others),
      };
      lists.set(key, { version, list });
      return list;
    },
  };
}
