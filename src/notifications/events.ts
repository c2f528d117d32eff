import { eventType } from '../bus/bus.ts';

/** A member is to be told of a message: their open pages show it, wherever they are connected. */
export const memberNotified = eventType<{ groupId: number; seq: number; accountId: number }>(
  'notifications.member-notified',
);
