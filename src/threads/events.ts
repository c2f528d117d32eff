import { eventType } from '../bus/bus.ts';

/** What one person has not read in the threads that they follow may have changed. */
export const threadsChanged = eventType<{ accountId: number }>('messages.threads-changed');
