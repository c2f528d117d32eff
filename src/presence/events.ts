import { eventType } from '../bus/bus.ts';

/** Who is at a topic changed: a topic of a group, or everywhere. */
export const presenceChanged = eventType<{ topic: string }>('presence.changed');
