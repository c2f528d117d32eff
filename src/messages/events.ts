import { eventType } from '../bus/bus.ts';

// What is local here, `announce.ts` tells in every process.

/** Messages of one group were committed: those with `firstSeq` to `lastSeq`. */
export const messagesSent = eventType<{ groupId: number; firstSeq: number; lastSeq: number }>(
  'messages.sent',
  { isLocal: true },
);

/** Messages of one group were sent or changed; in order of change. */
export const messagesChanged = eventType<{
  groupId: number;
  messages: readonly Readonly<{ seq: number; change: number }>[];
}>('messages.changed', { isLocal: true });

/** The transcript of a voice message has become its text. */
export const messageTranscribed = eventType<{ groupId: number; seq: number }>('messages.written-down');

/** A message was removed. `thread` is the first message of its thread; null for one that answers none. */
export const messageRemoved = eventType<{ groupId: number; seq: number; thread: number | null }>(
  'messages.removed',
);

/** A group has one pinned message more or less. */
export const pinsChanged = eventType<{ groupId: number }>('messages.pins-changed');

/** An edit mentions members whom the message did not mention before. */
export const mentionsAdded = eventType<{ groupId: number; seq: number; accountIds: readonly number[] }>(
  'messages.mentions-added',
);

/** Somebody is writing a message. */
export const typed = eventType<{ groupId: number; accountId: number }>('messages.typed', { isLocal: true });

/** The others are to see that somebody is writing. */
export const typingShown = eventType<{ groupId: number; accountId: number }>('messages.typing-shown');

/** The queue of the administrators' inbox has changed. */
export const inboxChanged = eventType<Record<string, never>>('messages.inbox-changed');

/** A message was reported, or reports were answered. */
export const reportsChanged = eventType<Record<string, never>>('messages.reports-changed');
