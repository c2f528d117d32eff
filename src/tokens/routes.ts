import { type Request, Router } from 'express';
import { z } from 'zod';
import { accountOf, signedInOf } from '../accounts/access.ts';
import { confirmPassword, ownPassword } from '../accounts/confirm-password.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import { SignInLimits } from '../accounts/sign-in-limits.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { Passwords } from '../crypto/passwords.ts';
import { ChatError } from '../errors.ts';
import { onRefusal } from '../http/failures.ts';
import { formsOf } from '../http/forms.ts';
import { type Html, sendHtml, type Views } from '../http/views.ts';
import type { Limits } from '../limits.ts';
import { type BoundOperation, parseInput } from '../operations/define.ts';
import { SCOPE_MEANINGS, SCOPES } from '../operations/scopes.ts';
import type { Tokens } from './identify.ts';
import type { TokenStore } from './store.ts';

const DAY_MS = 86_400_000;
const VALID_DAYS = { week: 7, month: 30, quarter: 90, year: 365, always: null } as const;
const MAX_TOKENS = 50;

const tokenForm = ownPassword.extend({
  label: z
    .string('Give the token a name.')
    .trim()
    .min(1, 'Give the token a name, such as the program that uses it.')
    .max(60, 'A name has at most 60 characters.'),
  scopes: z.union([z.enum(SCOPES).transform((scope) => [scope]), z.array(z.enum(SCOPES)).min(1)], {
    error: 'Choose at least one thing that the token may do.',
  }),
  validFor: z.enum(
    Object.keys(VALID_DAYS) as [keyof typeof VALID_DAYS],
    'Choose how long the token is valid.',
  ),
});

type Dependencies = {
  views: Views;
  accounts: AccountStore;
  passwords: Passwords;
  limits: Limits;
  tokens: Tokens;
  tokenStore: TokenStore;
  operations: readonly BoundOperation<SignedIn>[];
};

/** The page of one's own tokens, where each is made, shown once, and revoked. */
export function tokenRoutes(dependencies: Dependencies): Router {
  const { views, tokens, tokenStore, operations } = dependencies;
  const limits = new SignInLimits(dependencies.limits);

  async function page(request: Request, account: Account, context: object = {}): Promise<Html> {
    const now = Date.now();
    const personal = await tokenStore.inForce(account, 'personal', now);
    const listed = [...personal, ...(await tokenStore.inForce(account, 'sign-in', now))];
    return views.page(request, 'tokens/index.njk', {
      account,
      error: null,
      made: null,
      label: typeof request.body?.label === 'string' ? request.body.label.slice(0, 60) : '',
      chosen: [request.body?.scopes ?? 'read'].flat(),
      validFor: request.body?.validFor ?? 'quarter',
      scopes: SCOPES.filter((scope) => scope !== 'admin' || account.isAdmin).map((scope) => ({
        scope,
        meaning: SCOPE_MEANINGS[scope],
      })),
      tokens: listed.map((token) => ({
        ...token,
        created: new Date(token.createdAt).toISOString(),
        expires: token.expiresAt === null ? '' : new Date(token.expiresAt).toISOString(),
        used: token.usedAt === null ? '' : new Date(token.usedAt).toISOString(),
      })),
      ...context,
    });
  }

  return Router()
    .get('/account/tokens', async (request, response) => {
      sendHtml(response, await page(request, accountOf(request)));
    })
    .post('/account/tokens', async (request, response) => {
      const account = accountOf(request);
      onRefusal(response, (error) => page(request, account, { error }));
      const { label, scopes, validFor, password } = parseInput(tokenForm, request.body);
      await confirmPassword(dependencies, limits, account, password);
      if ((await tokenStore.inForce(account, 'personal', Date.now())).length >= MAX_TOKENS)
        throw new ChatError(
          'too_many',
          409,
          `You have ${MAX_TOKENS} tokens. Revoke one that you do not use.`,
        );
      const days = VALID_DAYS[validFor];
      const expiresAt = days === null ? null : Date.now() + days * DAY_MS;
      const made = await tokens.makePersonal(account, { label, scopes, expiresAt });
      request.body = {};
      sendHtml(response, await page(request, account, { made }));
    })
    .use(
      formsOf(operations, {
        targetOf: signedInOf,
        inputOf: ({ params }: Request) => params,
        pageOfRefusal:
          (request, { account }) =>
          (error) =>
            page(request, account, { error }),
        next: () => '/account/tokens',
      }),
    );
}
