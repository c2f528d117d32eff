import { z } from 'zod';
import { sessionEnded } from '../accounts/events.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import type { Publish } from '../bus/bus.ts';
import { notFound } from '../errors.ts';
import { defineOperation, type Operation } from '../operations/define.ts';
import { wholeNumber } from '../operations/fields.ts';
import { sessionIdOf } from './identify.ts';
import type { TokenStore } from './store.ts';

type TokenOperationContext = { tokenStore: TokenStore; publish: Publish };

/** Everybody may revoke their own. */
export const tokenOperations: readonly Operation<TokenOperationContext, SignedIn>[] = [
  defineOperation({
    name: 'revoke-token',
    path: '/account/tokens/:tokenId/revoke',
    input: z.object({ tokenId: wholeNumber('"tokenId" takes the number of a token.') }),
    policy: () => undefined,
    async run({ tokenStore, publish }: TokenOperationContext, { account }: SignedIn, { tokenId }) {
      if (!(await tokenStore.remove(account.id, tokenId))) throw notFound('There is no such token.');
      publish(sessionEnded, { accountId: account.id, sessionId: sessionIdOf(tokenId) });
    },
  }),
];
