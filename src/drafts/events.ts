import { eventType } from '../bus/bus.ts';

/** A draft was kept or deleted. */
export const draftChanged = eventType<{ accountId: number; groupId: number; thread: number }>(
  'messages.draft-changed',
);
