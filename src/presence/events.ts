import { eventType } from '../bus/bus.ts';

/** Who is at a place changed: a topic of a group, or everywhere. */
export const presenceChanged = eventType<{ place: string }>('presence.changed');
