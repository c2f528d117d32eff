import { GONE_NAME } from '../accounts/account.ts';
import { accountRenamed } from '../accounts/events.ts';
import type { AccountStore } from '../accounts/store.ts';
import type { Subscribe } from '../bus/bus.ts';
import { CLOSE } from '../live/connection.ts';
import { factText } from '../live/frames.ts';
import { type Hub, personalTopic } from '../live/hub.ts';
import {
  groupAccessChanged,
  groupCreated,
  groupRenamed,
  groupSettingsChanged,
  memberDeleted,
  memberJoined,
  memberLeft,
  notificationLevelChanged,
  ownersChanged,
  unreadChanged,
  unreadCounted,
} from './events.ts';
import { MAX_PEOPLE } from './open-direct.ts';
import { isListed } from './policies.ts';
import { type GroupPresenter, unreadOf } from './present.ts';
import type { GroupStore } from './store.ts';

type Dependencies = {
  hub: Hub;
  accounts: AccountStore;
  groups: GroupStore;
  presenter: GroupPresenter;
  subscribe: Subscribe;
};

const GROUP = 'group:';

/** The name of a group's topic. */
export function groupTopic(groupId: number): string {
  return `${GROUP}${groupId}`;
}

/** The group of such a topic. */
export function groupOf(topic: string): number {
  return Number(topic.slice(GROUP.length));
}

/** Pushes changes to the lists of groups of connected accounts, and closes the sockets of a member who left. */
export function pushGroups({ hub, accounts, groups, presenter, subscribe }: Dependencies): void {
  async function pushRow(groupId: number, accountId: number, type: 'group' | 'unread'): Promise<void> {
    const group = await groups.byId(groupId);
    const membership = (await groups.membershipsOf(accountId)).get(groupId);
    const isGuest = (await accounts.byId(accountId))?.isGuest ?? true;
    // A direct conversation is pushed to its members only, and not before it has a message.
    if (group?.kind === 'direct' && (!membership || group.lastSeq === 0)) return;
    if (group && group.lineOf !== null && group.lineOf !== accountId) return;
    // Taken from the lists of those who are not to know of it.
    if (!group || !isListed(group, membership, { isGuest })) {
      const removed = `<li id="group-${groupId}" data-live="remove"></li><li id="offer-${groupId}" data-live="remove"></li>`;
      return hub.publish(personalTopic(accountId), ({ protocol }) =>
        protocol === 'html' ? removed : undefined,
      );
    }
    const named = await presenter.named(group, accountId);
    const offer =
      membership || type === 'unread'
        ? `<li id="offer-${groupId}" data-live="remove"></li>`
        : await presenter.offer(group);
    hub.publish(personalTopic(accountId), ({ protocol }) => {
      if (protocol === 'html') {
        return presenter.pushedRow(named, membership) + (type === 'group' ? offer : '');
      }
      if (type === 'group') return factText('json', 'group', { id: group.id, name: named.name });
      return membership && factText('json', 'unread', { groupId, unread: unreadOf(group, membership) });
    });
  }

  async function pushToEveryone({ groupId }: { groupId: number }): Promise<void> {
    await Promise.all(hub.people().map((accountId) => pushRow(groupId, accountId, 'group')));
  }

  /** Tells whoever shares a group, so that open pages show the new name; without one, that the account is gone. */
  async function pushName(accountId: number, groupIds: readonly number[]): Promise<void> {
    const account = await accounts.byId(accountId);
    const fact = account
      ? { accountId, username: account.username, name: account.name }
      : { accountId, name: GONE_NAME };
    for (const groupId of groupIds)
      hub.publish(groupTopic(groupId), ({ protocol }) => factText(protocol, 'renamed', fact));
    for (const [groupId, { kind }] of await groups.byIds(groupIds)) {
      if (kind !== 'direct') continue;
      for (const memberId of await groups.members(groupId, MAX_PEOPLE))
        await pushRow(groupId, memberId, 'unread');
    }
  }

  tellRules({ hub, subscribe });
  tellLevels({ hub, groups, presenter, subscribe });
  subscribe(accountRenamed, async ({ accountId }) => {
    await pushName(accountId, [...(await groups.membershipsOf(accountId)).keys()]);
  });
  subscribe(memberDeleted, ({ accountId, groupIds }) => pushName(accountId, groupIds));
  subscribe(groupCreated, pushToEveryone);
  subscribe(groupRenamed, pushToEveryone);
  subscribe(groupAccessChanged, pushToEveryone);
  subscribe(memberJoined, ({ groupId, accountId }) => pushRow(groupId, accountId, 'group'));
  for (const event of [unreadChanged, unreadCounted])
    subscribe(event, ({ groupId, accountId }) => pushRow(groupId, accountId, 'unread'));
  subscribe(memberLeft, async ({ groupId, accountId }) => {
    hub.closeWhere(
      (connection) => connection.account.id === accountId && connection.topic === groupTopic(groupId),
      CLOSE.notAMember,
      'You left this group.',
    );
    await pushRow(groupId, accountId, 'group');
  });
}

/** Tells open pages that the rules of their group changed. They find out for themselves whether their reader may write. */
function tellRules({ hub, subscribe }: Pick<Dependencies, 'hub' | 'subscribe'>): void {
  // Where owners write only, whoever becomes one may.
  for (const event of [groupSettingsChanged, ownersChanged])
    subscribe<{ groupId: number }>(event, ({ groupId }) => {
      hub.publish(groupTopic(groupId), ({ protocol }) =>
        protocol === 'html' ? factText('html', 'rules', { groupId }) : undefined,
      );
    });
}

/** Shows on the open pages of a member what they chose to be told of its group. */
function tellLevels({
  hub,
  groups,
  presenter,
  subscribe,
}: Pick<Dependencies, 'hub' | 'groups' | 'presenter' | 'subscribe'>): void {
  subscribe(notificationLevelChanged, async ({ groupId, accountId }) => {
    const group = await groups.byId(groupId);
    const membership = (await groups.membershipsOf(accountId)).get(groupId);
    if (!group || !membership) return;
    const menu = presenter.notificationLevel(group, membership);
    hub.publish(personalTopic(accountId), ({ protocol }) => (protocol === 'html' ? menu : undefined));
  });
}
