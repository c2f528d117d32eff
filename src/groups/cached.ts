import { eventsMissed } from '../bus/bus.ts';
import { type Cached, type Caches, type Drop, on, type RecentValues } from '../cache/caches.ts';
import type { BlindIndex } from '../crypto/blind-index.ts';
import type { Database } from '../database/executor.ts';
import type { Sealer } from '../database/sealed-columns.ts';
import {
  groupAccessChanged,
  groupAdvanced,
  groupCreated,
  groupDeleted,
  groupRenamed,
  groupSettingsChanged,
  memberJoined,
  memberLeft,
  membershipsChanged,
  messagesPurged,
  readMoved,
} from './events.ts';
import type { Group, Membership } from './group.ts';
import { GroupStore } from './store.ts';

const MAX_GROUPS = 50_000;
const MAX_ACCOUNTS = 10_000;

type MembershipsByGroup = ReadonlyMap<number, Membership>;

/** `GroupStore` with a cache of what every page reads: groups, and the memberships of recently active accounts. */
export class CachedGroupStore extends GroupStore {
  readonly #groups: Cached<number, Group | undefined>;
  /** The ids of all groups, by name. */
  readonly #order: Cached<'all', readonly number[]>;
  readonly #memberships: Cached<number, MembershipsByGroup>;
  readonly #memberCounts: Cached<number, number>;

  constructor(
    db: Database,
    sealer: Sealer,
    nameIndex: BlindIndex,
    { cached, recent }: Caches,
    linesOnly: boolean,
  ) {
    super(db, sealer, nameIndex, linesOnly);
    const told = recent<number, number>('newest changes of groups', MAX_GROUPS);
    this.#groups = cached({
      name: 'groups',
      key: (id) => id,
      max: MAX_GROUPS,
      load: async (id) => asTold(await super.byId(id), told),
      loadMany: async (ids) =>
        new Map([...(await super.byIds(ids))].map(([id, group]) => [id, asTold(group, told)])),
      dropOn: dropGroupsOn(told),
    });
    this.#order = cached({
      name: 'the order of groups',
      key: () => 'all',
      max: 1,
      load: async () => (await super.all()).map((group) => group.id),
      dropOn: [groupCreated, groupRenamed, groupDeleted].map((event) =>
        on(event, (_payload, cache) => cache.clear()),
      ),
    });
    this.#memberships = cached({
      name: 'memberships',
      key: (accountId) => accountId,
      max: MAX_ACCOUNTS,
      load: (accountId) => super.membershipsOf(accountId),
      tagsOf: (byGroup) => [...byGroup.keys()].map(String),
      dropOn: DROP_MEMBERSHIPS_ON,
    });
    this.#memberCounts = cached({
      name: 'member counts',
      key: (groupId) => groupId,
      max: MAX_GROUPS,
      load: (groupId) => super.countMembers(groupId),
      dropOn: [memberJoined, memberLeft].map((event) =>
        on(event, ({ groupId }, cache) => cache.drop(groupId)),
      ),
    });
  }

  override byId(id: number): Promise<Group | undefined> {
    return this.#groups.get(id);
  }

  override async byIds(ids: readonly number[]): Promise<ReadonlyMap<number, Group>> {
    const groups = (await this.#groups.getMany(ids)).filter((group) => group !== undefined);
    return new Map(groups.map((group) => [group.id, group]));
  }

  override async all(): Promise<readonly Group[]> {
    const inOrder = await this.#groups.getMany(await this.#order.get('all'));
    return inOrder.filter((group) => group !== undefined);
  }

  override membershipsOf(accountId: number): Promise<MembershipsByGroup> {
    return this.#memberships.get(accountId);
  }

  override async membership(accountId: number, groupId: number): Promise<Membership | undefined> {
    return (await this.#memberships.get(accountId)).get(groupId);
  }

  override countMembers(groupId: number): Promise<number> {
    return this.#memberCounts.get(groupId);
  }
}

/**
 * A group as of the newest change of which this process was told. Another process may have committed a newer one, which
 * messages in memory here do not have yet: a page that said that it has it would never get it.
 */
function asTold<Found extends Group | undefined>(group: Found, told: RecentValues<number, number>): Found {
  const newest = group && told.get(group.id);
  return newest !== undefined && group && newest < group.lastChange
    ? { ...group, lastChange: newest }
    : group;
}

const dropGroupsOn = (told: RecentValues<number, number>): readonly Drop<number, Group | undefined>[] => [
  // Nothing is in memory any more that could be older than what is read now.
  on(eventsMissed, () => told.clear()),
  on(groupRenamed, ({ groupId }, cache) => cache.drop(groupId)),
  on(groupSettingsChanged, ({ groupId }, cache) => cache.drop(groupId)),
  on(groupAccessChanged, ({ groupId }, cache) => cache.drop(groupId)),
  on(messagesPurged, ({ groupId }, cache) => cache.drop(groupId)),
  // Update the entry, not drop it: a reload after every message would decrypt the name, the largest cost by far.
  on(groupAdvanced, ({ groupId, lastSeq, lastChange }, cache) => {
    told.set(groupId, Math.max(told.get(groupId) ?? 0, lastChange));
    const group = cache.peek(groupId);
    if (!group) cache.drop(groupId);
    else if (group.lastChange < lastChange)
      cache.put(groupId, { ...group, lastSeq: Math.max(group.lastSeq, lastSeq), lastChange });
  }),
];

const DROP_MEMBERSHIPS_ON: readonly Drop<number, MembershipsByGroup>[] = [
  on(memberJoined, ({ accountId }, cache) => cache.drop(accountId)),
  on(memberLeft, ({ accountId }, cache) => cache.drop(accountId)),
  on(readMoved, ({ accountId, groupId, seq, readAt }, cache) => {
    const byGroup = cache.peek(accountId);
    const membership = byGroup?.get(groupId);
    // Update in place, as a mark moves with each message its owner sends, unless `removedUnread` needs a recount.
    const isForward = membership?.removedUnread === 0 && seq > membership.readSeq;
    // The events of two writes may arrive in reverse order.
    if (byGroup && membership && isForward && readAt > membership.readAt)
      cache.put(accountId, new Map(byGroup).set(groupId, { ...membership, readSeq: seq, readAt }));
    else cache.drop(accountId);
  }),
  on(membershipsChanged, ({ groupId, accountIds }, cache) => {
    if (accountIds) for (const accountId of accountIds) cache.drop(accountId);
    else cache.dropTag(String(groupId));
  }),
];
