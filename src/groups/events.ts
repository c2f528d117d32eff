import { eventType } from '../events.ts';

export const groupCreated = eventType<{ groupId: number }>('groups.created');
export const groupRenamed = eventType<{ groupId: number }>('groups.renamed');
export const memberJoined = eventType<{ groupId: number; accountId: number }>('groups.member-joined');
export const memberLeft = eventType<{ groupId: number; accountId: number }>('groups.member-left');

/** What one member has not read has changed, by reading or by a new message. */
export const unreadChanged = eventType<{ groupId: number; accountId: number }>('groups.unread-changed');

/** A member has read a group up to a message. */
export const readMoved = eventType<{ groupId: number; accountId: number; seq: number }>('groups.read-moved');
