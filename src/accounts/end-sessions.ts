import { z } from 'zod';
import type { Publish } from '../bus/bus.ts';
import { notFound } from '../errors.ts';
import { defineOperation, type Operation } from '../operations/define.ts';
import { wholeNumber } from '../operations/fields.ts';
import { otherSessionsEnded, sessionEnded } from './events.ts';
import type { SignInLinkStore } from './link-store.ts';
import type { SessionListStore } from './session-list-store.ts';
import type { SignedIn } from './sessions.ts';

export type EndSessionsContext = {
  sessionList: SessionListStore;
  signInLinks: SignInLinkStore;
  /** Ends a session for good, whatever is under way with it. */
  endSession(sessionId: string): Promise<void>;
  publish: Publish;
};

const whichSession = z.object({ session: wholeNumber('"session" takes the number of a session.') });

/** What an account does with its sessions: each is its own. */
export const sessionOperations: readonly Operation<EndSessionsContext, SignedIn>[] = [
  defineOperation({
    name: 'end-session',
    path: '/account/sessions/:session/end',
    input: whichSession,
    policy: () => undefined,
    async run(context: EndSessionsContext, { account }: SignedIn, { session }) {
      const listed = await context.sessionList.of(account.id, account.sessionEpoch);
      const ended = listed.find(({ id }) => id === session);
      if (!ended) throw notFound('There is no such session, or it has ended.');
      await end(context, account.id, ended.sessionId);
    },
  }),
  defineOperation({
    name: 'end-other-sessions',
    path: '/account/sessions/end-others',
    input: z.unknown(),
    policy: () => undefined,
    async run(context: EndSessionsContext, { account, sessionId }: SignedIn) {
      for (const other of await context.sessionList.of(account.id, account.sessionEpoch))
        if (other.sessionId !== sessionId) await end(context, account.id, other.sessionId);
      await context.signInLinks.removeOwnOf(account.id);
      context.publish(otherSessionsEnded, { accountId: account.id, sessionId });
    },
  }),
];

async function end({ endSession, publish }: EndSessionsContext, accountId: number, sessionId: string) {
  await endSession(sessionId);
  publish(sessionEnded, { accountId, sessionId });
}
