import { eventType } from '../bus/bus.ts';

/** The unread replies in the threads that an account follows may have changed. */
export const threadsChanged = eventType<{ accountId: number }>('messages.threads-changed');
