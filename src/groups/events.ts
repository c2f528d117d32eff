import { eventType } from '../bus/bus.ts';

export const groupCreated = eventType<{ groupId: number }>('groups.created');
export const groupRenamed = eventType<{ groupId: number }>('groups.renamed');
export const memberJoined = eventType<{ groupId: number; accountId: number }>('groups.member-joined');
export const memberLeft = eventType<{ groupId: number; accountId: number }>('groups.member-left');

/** The account of somebody who was in these conversations was deleted. */
export const memberDeleted = eventType<{ accountId: number; groupIds: readonly number[] }>(
  'groups.member-deleted',
);

/** The unread count of a member may have changed. The read mark or the message behind it has its own event. */
export const unreadChanged = eventType<{ groupId: number; accountId: number }>('groups.unread-changed');

/** The same, of a count that every process makes for those who are connected to it. */
export const unreadCounted = eventType<{ groupId: number; accountId: number }>('groups.unread-counted', {
  isLocal: true,
});

/** A member has read a group up to a message; `readAt` in milliseconds, UTC. */
export const readMoved = eventType<{ groupId: number; accountId: number; seq: number; readAt: number }>(
  'groups.read-moved',
);

/** Messages of a group were written: its counters are now at least these. */
export const groupAdvanced = eventType<{ groupId: number; lastSeq: number; lastChange: number }>(
  'groups.advanced',
  // `messages/announce.ts` tells it in every process.
  { isLocal: true },
);

/** Messages of a group from `first` to `last` are no longer kept, but for those that others still refer to. */
export const messagesPurged = eventType<{ groupId: number; first: number; last: number }>('groups.purged');

/** A group was deleted: nobody is a member of it any more, and what was in it is being removed. */
export const groupDeleted = eventType<{ groupId: number }>('groups.deleted');

/** Who sees a group or is offered it has changed: it was opened, closed, archived or taken up again. */
export const groupAccessChanged = eventType<{ groupId: number }>('groups.access-changed');

/** Somebody asks to join a closed group, or was answered. */
export const joinRequestsChanged = eventType<{ groupId: number }>('groups.join-requests-changed');

/** A member chose what of a group they are told. */
export const notificationLevelChanged = eventType<{ groupId: number; accountId: number }>(
  'groups.notification-level-changed',
);

/** What members see of a group has changed: its voice settings, its topic, or who writes in it. */
export const groupSettingsChanged = eventType<{ groupId: number }>('groups.settings-changed');

/** Somebody became an owner of a group, or is none any more. */
export const ownersChanged = eventType<{ groupId: number; accountId: number }>('groups.owners-changed');

/** Memberships were written other than by joining, leaving or reading; without `accountIds`, those of all members. */
export const membershipsChanged = eventType<{ groupId: number; accountIds?: readonly number[] }>(
  'groups.memberships-changed',
);
