import { LRUCache } from 'lru-cache';
import type { Account } from '../accounts/store.ts';
import type { Views } from '../http/views.ts';
import type { Group, GroupStore, Membership } from './store.ts';

const CACHED_ROWS = 20_000;

export type GroupPresenter = {
  /** One row of the list of groups, as it stands on pages and as it is pushed; `isOpen` is for pages only. */
  row(group: Group, membership: Membership | undefined, isOpen?: boolean): string;
  /** A group that can be joined, on the page of groups and as it is pushed there. */
  offer(group: Group): Promise<string>;
  /** The whole list for one person. */
  list(account: Account, openGroupId?: number): Promise<{ mine: string; others: string; unread: number }>;
};

/** How many messages a member has not read. */
export function unreadOf(group: Group, membership: Membership): number {
  return Math.max(0, group.lastSeq - membership.readSeq);
}

/** Rows are rendered once and kept; a page of hundreds of groups is then joined, not rendered. */
export function createGroupPresenter(views: Views, groups: GroupStore): GroupPresenter {
  const rows = new LRUCache<string, string>({ max: CACHED_ROWS });

  function row(group: Group, membership: Membership | undefined, isOpen = false): string {
    const unread = membership ? unreadOf(group, membership) : 0;
    const key = `${group.id} ${membership ? unread : '-'} ${isOpen} ${group.name}`;
    const known = rows.get(key);
    if (known !== undefined) return known;
    const html = views
      .render('groups/_row.njk', { group, isMember: membership !== undefined, unread, isOpen })
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
      const memberships = await groups.membershipsOf(account.id);
      let mine = '';
      let others = '';
      let total = 0;
      for (const group of await groups.all()) {
        const membership = memberships.get(group.id);
        const html = row(group, membership, group.id === openGroupId);
        if (membership) {
          mine += html;
          total += unreadOf(group, membership);
        } else {
          others += html;
        }
      }
      return { mine, others, unread: total };
    },
  };
}
