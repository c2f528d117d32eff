import { LRUCache } from 'lru-cache';
import type { Account } from '../accounts/store.ts';
import type { Views } from '../http/views.ts';
import type { Group, GroupStore, Membership } from './store.ts';

const CACHED_ROWS = 20_000;
/** In bytes. */
const CACHED_LISTS = 32_000_000;

export type GroupPresenter = {
  /** One row of the list of groups, as it stands on pages and as it is pushed; `isOpen` is for pages only. */
  row(group: Group, membership: Membership | undefined, isOpen?: boolean): string;
  /** A group that can be joined, on the page of groups and as it is pushed there. */
  offer(group: Group): Promise<string>;
  /** The whole list for one person. */
  list(account: Account, openGroupId?: number): Promise<GroupList>;
};

/** The rows of the groups that somebody is in, and of those that they could join, as bytes to be set into a page. */
export type GroupList = Readonly<{ mine: Buffer; others: Buffer }>;

/** How many messages a member has not read. */
export function unreadOf(group: Group, membership: Membership): number {
  return Math.max(0, group.lastSeq - membership.readSeq);
}

/** Whether a message that this member has not read calls them. */
export function isMentionUnread({ lastMentionSeq, readSeq }: Membership): boolean {
  return lastMentionSeq > readSeq;
}

/** Rows are rendered once and kept; a page of hundreds of groups is then joined, not rendered. */
export function createGroupPresenter(views: Views, groups: GroupStore): GroupPresenter {
  const rows = new LRUCache<string, string>({ max: CACHED_ROWS });
  const lists = new LRUCache<string, { version: number; list: GroupList }>({
    maxSize: CACHED_LISTS,
    sizeCalculation: ({ list }) => list.mine.length + list.others.length + 1,
  });

  function row(group: Group, membership: Membership | undefined, isOpen = false): string {
    const unread = membership ? unreadOf(group, membership) : 0;
    const isMentioned = membership ? isMentionUnread(membership) : false;
    const key = `${group.id} ${membership ? unread : '-'} ${isMentioned} ${isOpen} ${group.name}`;
    const known = rows.get(key);
    if (known !== undefined) return known;
    const html = views
      .render('groups/_row.njk', { group, isMember: membership !== undefined, unread, isMentioned, isOpen })
      .trim();
    rows.set(key, html);
    return html;
  }

  return {
    row,
    async offer(group) {
      return views
        .render('groups/_offer.njk', { group, members: await groups.countMembers(group.id) })
        .trim();
    },
    async list(account, openGroupId) {
      const key = `${account.id}/${openGroupId}`;
      const version = groups.version();
      const known = lists.get(key);
      if (known?.version === version) return known.list;
      const memberships = await groups.membershipsOf(account.id);
      let mine = '';
      let others = '';
      for (const group of await groups.all()) {
        const membership = memberships.get(group.id);
        const html = row(group, membership, group.id === openGroupId);
        if (membership) {
          mine += html;
        } else {
          others += html;
        }
      }
      const list = { mine: Buffer.from(mine), others: Buffer.from(others) };
      lists.set(key, { version, list });
      return list;
    },
  };
}
