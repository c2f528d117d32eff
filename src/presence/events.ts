import { eventType } from '../bus/bus.ts';

/** The people present at a topic have changed. The topic is that of a group, or `OVERALL`. */
export const presenceChanged = eventType<{ topic: string }>('presence.changed', { isLocal: true });
