import type { SpokenLanguage } from '../engines/speech/languages.ts';

export type Group = Readonly<{
  id: number;
  /** A direct conversation is identified by its members: its name is empty, and `all()` leaves it out. */
  kind: 'group' | 'direct';
  name: string;
  /** Null for the groups that a first start seeds. */
  creatorId: number | null;
  /** `seq` of the newest message; `lastChange` is the newest `change` of any message. */
  lastSeq: number;
  lastChange: number;
  /** Who may correct what a machine wrote down of a voice message. */
  corrections: 'author' | 'members';
  /** What is spoken in its voice messages. */
  spokenLanguage: SpokenLanguage;
  /** A closed group is seen by its members only. */
  access: 'open' | 'closed';
  /** Who writes in it. */
  posting: 'members' | 'owners';
  /** How long a member waits between two messages; 0 for not at all. Owners need not. */
  slowSeconds: number;
  /** How long messages are kept; null is as for all groups, 0 is for ever. */
  keepDays: number | null;
  /** How much its files may take; null is as for all groups, 0 is without limit. */
  keepMegabytes: number | null;
  /** Since when nothing in it may be removed (a legal hold); null for a group that is not on hold. */
  heldAt: number | null;
  /** Messages up to this one are no longer kept, but for those that others still refer to. */
  purgedSeq: number;
  /** What it is about; empty for nothing. */
  topic: string;
  /** The account whose private line to the administrators this is; null for any other. A line is a direct conversation. */
  lineOf: number | null;
  /** Since when it can only be read; null for a group in use. */
  archivedAt: number | null;
}>;

export type Membership = Readonly<{
  groupId: number;
  readSeq: number;
  readAt: number;
  /** The newest message that mentions this member; 0 for none. */
  lastMentionSeq: number;
  /** How many of the messages beyond `readSeq` were removed. */
  removedUnread: number;
  /** Null is the default of its kind of group: see `notificationLevelOf`. */
  notificationLevel: NotificationLevel | null;
  /** Owners change the group, and say who is in it. */
  isOwner: boolean;
}>;

/** How far an account has read, at a time in milliseconds, UTC. */
export type ReadMark = { accountId: number; groupId: number; seq: number; now: number };

/** What one is told of a group while away. A hidden one is not in the list at the side either. */
export type NotificationLevel = (typeof NOTIFICATION_LEVELS)[number];
export const NOTIFICATION_LEVELS = ['mentions', 'everything', 'nothing', 'hidden'] as const;

export function notificationLevelOf(
  { kind }: Pick<Group, 'kind'>,
  { notificationLevel }: Pick<Membership, 'notificationLevel'>,
): NotificationLevel {
  return notificationLevel ?? (kind === 'direct' ? 'everything' : 'mentions');
}
