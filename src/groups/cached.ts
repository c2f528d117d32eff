import { type Caches, on } from '../cache/caches.ts';
import {
  groupAdvanced,
  groupCreated,
  groupRenamed,
  groupSettingsChanged,
  memberJoined,
  memberLeft,
  membershipsChanged,
  readMoved,
} from './events.ts';
import type { Group, GroupStore, Membership } from './store.ts';

const MAX_GROUPS = 50_000;
const MAX_ACCOUNTS = 10_000;

/** The store, with what every page asks for kept in memory: groups, and the memberships of whoever was here lately. */
export function cacheGroups(store: GroupStore, { cached }: Caches): GroupStore {
  const groups = cached<number, Group | undefined>({
    name: 'groups',
    key: (id) => id,
    max: MAX_GROUPS,
    load: store.byId,
    loadMany: store.byIds,
    dropOn: [
      on(groupRenamed, ({ groupId }, cache) => cache.drop(groupId)),
      on(groupSettingsChanged, ({ groupId }, cache) => cache.drop(groupId)),
      // The name is sealed; opening it with every message would cost more than all the rest.
      on(groupAdvanced, ({ groupId, lastSeq, lastChange }, cache) => {
        const group = cache.peek(groupId);
        if (!group) cache.drop(groupId);
        else if (group.lastChange < lastChange)
          cache.put(groupId, { ...group, lastSeq: Math.max(group.lastSeq, lastSeq), lastChange });
      }),
    ],
  });
  const order = cached<'all', readonly number[]>({
    name: 'the order of groups',
    key: () => 'all',
    max: 1,
    load: async () => (await store.all()).map((group) => group.id),
    dropOn: [groupCreated, groupRenamed].map((event) => on(event, (_payload, cache) => cache.clear())),
  });
  const memberships = cached<number, ReadonlyMap<number, Membership>>({
    name: 'memberships',
    key: (accountId) => accountId,
    max: MAX_ACCOUNTS,
    load: store.membershipsOf,
    tagsOf: (byGroup) => [...byGroup.keys()].map(String),
    dropOn: [
      ...[memberJoined, memberLeft].map((event) =>
        on<{ accountId: number }, number, ReadonlyMap<number, Membership>>(event, ({ accountId }, cache) =>
          cache.drop(accountId),
        ),
      ),
      on(readMoved, ({ accountId, groupId, seq, readAt }, cache) => {
        const byGroup = cache.peek(accountId);
        const membership = byGroup?.get(groupId);
        // Whoever writes reads: a mark moves with each message. Beyond it, removed messages would have to be counted.
        const isForward = membership?.removedUnread === 0 && seq > membership.readSeq;
        // Two writes may be told in the other order.
        if (byGroup && membership && isForward && readAt > membership.readAt)
          cache.put(accountId, new Map(byGroup).set(groupId, { ...membership, readSeq: seq, readAt }));
        else cache.drop(accountId);
      }),
      on(membershipsChanged, ({ groupId, accountIds }, cache) => {
        if (accountIds) for (const accountId of accountIds) cache.drop(accountId);
        else cache.dropTag(String(groupId));
      }),
    ],
  });
  const memberCounts = cached<number, number>({
    name: 'member counts',
    key: (groupId) => groupId,
    max: MAX_GROUPS,
    load: store.countMembers,
    dropOn: [memberJoined, memberLeft].map((event) => on(event, ({ groupId }, cache) => cache.drop(groupId))),
  });

  return {
    ...store,
    byId: groups.get,
    async byIds(ids) {
      const found = (await groups.getMany(ids)).filter((group) => group !== undefined);
      return new Map(found.map((group) => [group.id, group]));
    },
    async all() {
      const inOrder = await groups.getMany(await order.get('all'));
      return inOrder.filter((group) => group !== undefined);
    },
    membershipsOf: memberships.get,
    membership: async (accountId, groupId) => (await memberships.get(accountId)).get(groupId),
    countMembers: memberCounts.get,
  };
}
