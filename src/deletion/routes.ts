import { type Request, Router } from 'express';
import { accountOf, visitor } from '../accounts/access.ts';
import { confirmPassword, ownPassword } from '../accounts/confirm-password.ts';
import { SignInLimits } from '../accounts/sign-in-limits.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { Passwords } from '../crypto/passwords.ts';
import type { ChatError } from '../errors.ts';
import { onRefusal } from '../http/failures.ts';
import { seeOther } from '../http/request.ts';
import { type Html, sendHtml, type Views } from '../http/views.ts';
import type { Limits } from '../limits.ts';
import { parseInput } from '../operations/define.ts';
import { accountDeletionForm, type DeleteAccountDependencies, deleteAccount } from './delete-account.ts';

type Dependencies = DeleteAccountDependencies & {
  views: Views;
  accounts: AccountStore;
  passwords: Passwords;
  limits: Limits;
};

/** The page on which one deletes one's own account, and the one that shows how far that is. */
export function deletionRoutes(dependencies: Dependencies): Router {
  const { views, accountDeletions } = dependencies;
  const limits = new SignInLimits(dependencies.limits);
  const page = (request: Request, account: Account, error: ChatError | null): Html =>
    views.page(request, 'deletion/own.njk', { account, error, choice: request.body?.messages ?? '' });

  return (
    Router()
      .get('/account/delete', async (request, response) => {
        sendHtml(response, page(request, accountOf(request), null));
      })
      .post('/account/delete', async (request, response) => {
        const account = accountOf(request);
        onRefusal(response, (error) => page(request, account, error));
        const { password, ...choice } = parseInput(
          ownPassword.extend(accountDeletionForm.shape),
          request.body,
        );
        await confirmPassword(dependencies, limits, account, password);
        seeOther(response, `/deleted/${await deleteAccount(dependencies, account, choice)}`);
      })
      // Whoever has been deleted is signed out: the token in the address is what shows them how far it is.
      .get('/deleted/:token', async (request, response) => {
        const deletion = await accountDeletions.byToken(String(request.params.token));
        const account = visitor(request) ?? null;
        sendHtml(
          response,
          views.page(request, 'deletion/progress.njk', { account, deletion: deletion ?? null }),
        );
      })
  );
}
