import { eventType } from '../bus/bus.ts';

export const groupCreated = eventType<{ groupId: number }>('groups.created');
export const groupRenamed = eventType<{ groupId: number }>('groups.renamed');
export const memberJoined = eventType<{ groupId: number; accountId: number }>('groups.member-joined');
export const memberLeft = eventType<{ groupId: number; accountId: number }>('groups.member-left');

/** How many messages a member has not read has changed, by reading or by a new message; what was written has its own event. */
export const unreadChanged = eventType<{ groupId: number; accountId: number }>('groups.unread-changed');

/** A member has read a group up to a message; `readAt` in milliseconds, UTC. */
export const readMoved = eventType<{ groupId: number; accountId: number; seq: number; readAt: number }>(
  'groups.read-moved',
);

/** Messages of a group were written: its counters are at least at these now. `lastSeq` is 0 where none was new. */
export const groupAdvanced = eventType<{ groupId: number; lastSeq: number; lastChange: number }>(
  'groups.advanced',
);

/** What a group lets its members do has changed. */
export const groupSettingsChanged = eventType<{ groupId: number }>('groups.settings-changed');

/** Memberships of these accounts were written, beside joining, leaving and reading; of all members where none are named. */
export const membershipsChanged = eventType<{ groupId: number; accountIds?: readonly number[] }>(
  'groups.memberships-changed',
);
