import { eventType } from '../events.ts';

/** Messages of one group were committed: those with `firstSeq` to `lastSeq`. */
export const messagesSent = eventType<{ groupId: number; firstSeq: number; lastSeq: number }>(
  'messages.sent',
);
