import { z } from 'zod';
import type { SignedIn } from '../accounts/sessions.ts';
import { notFound } from '../errors.ts';
import { defineOperation, type Operation } from '../operations/define.ts';
import { wholeNumber } from '../operations/fields.ts';
import type { PasskeyStore } from './passkey-store.ts';

/** Everybody may remove their own. */
export const passkeyOperations: readonly Operation<{ passkeys: PasskeyStore }, SignedIn>[] = [
  defineOperation({
    name: 'remove-passkey',
    // No token takes away how its owner signs in.
    scope: 'session',
    path: '/account/passkeys/:passkeyId/remove',
    input: z.object({ passkeyId: wholeNumber('"passkeyId" takes the number of a passkey.') }),
    policy: () => undefined,
    async run({ passkeys }: { passkeys: PasskeyStore }, { account }: SignedIn, { passkeyId }) {
      if (!(await passkeys.remove(account.id, passkeyId))) throw notFound('There is no such passkey.');
    },
  }),
];
