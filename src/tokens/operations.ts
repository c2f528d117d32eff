import { z } from 'zod';
import type { SignedIn } from '../accounts/sessions.ts';
import type { Publish } from '../bus/bus.ts';
import { notFound } from '../errors.ts';
import { defineOperation, type Operation } from '../operations/define.ts';
import { wholeNumber } from '../operations/fields.ts';
import { revokeToken } from './revoke.ts';
import type { TokenStore } from './store.ts';

type TokenOperationContext = { tokenStore: TokenStore; publish: Publish };

/** Everybody may revoke their own. */
export const tokenOperations: readonly Operation<TokenOperationContext, SignedIn>[] = [
  defineOperation({
    name: 'revoke-token',
    path: '/account/tokens/:tokenId/revoke',
    input: z.object({ tokenId: wholeNumber('"tokenId" takes the number of a token.') }),
    policy: () => undefined,
    async run(context: TokenOperationContext, { account }: SignedIn, { tokenId }) {
      if (!(await revokeToken(context, account.id, tokenId))) throw notFound('There is no such token.');
    },
  }),
];
