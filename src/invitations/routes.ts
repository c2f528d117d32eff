import { type Request, Router } from 'express';
import { accountOf, signedInOf, visitor } from '../accounts/access.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import { onRefusal } from '../http/failures.ts';
import { formsOf } from '../http/forms.ts';
import { numberInPath, seeOther } from '../http/request.ts';
import { sendHtml } from '../http/views.ts';
import type { Limits } from '../limits.ts';
import type { BoundOperation } from '../operations/define.ts';
import { declineInvitation, usableInvitation } from './accept.ts';
import { readCode } from './codes.ts';
import { InvitationPages, type InvitationPagesDependencies } from './pages.ts';

/** Codes that are tried from one address. A code has 60 random bits. */
const CODES_BY_ADDRESS = {
  name: 'codes by address',
  points: 60,
  seconds: 600,
  sentence: 'Too many tries from your address.',
};

type Dependencies = InvitationPagesDependencies & {
  operations: readonly BoundOperation<SignedIn>[];
  limits: Limits;
};

export function invitationRoutes(dependencies: Dependencies): Router {
  const pages = new InvitationPages(dependencies);
  const tries = dependencies.limits.of(CODES_BY_ADDRESS);
  const forms = formsOf(dependencies.operations, {
    targetOf: signedInOf,
    inputOf: ({ params, body }: Request) => ({ ...body, ...params }),
    pageOfRefusal: (request, _target, { name }) =>
      name === 'create-invitation' ? (error) => pages.list(request, error) : undefined,
    next: (_request, _target, { name }, { invitationId, groupId }) => {
      if (name === 'create-invitation') return `/invitations/${invitationId}`;
      if (name === 'revoke-invitation') return '/invitations';
      return groupId === undefined ? '/groups' : `/groups/${groupId}`;
    },
  });
  return (
    Router()
      .get('/invitations', async (request, response) => {
        sendHtml(response, await pages.list(request));
      })
      .get('/invitations/:id', async (request, response) => {
        sendHtml(response, await pages.show(request, numberInPath(request, 'id')));
      })
      .get('/join', (request, response) => {
        accountOf(request);
        const code = readCode(String(request.query.code ?? '').slice(0, 500));
        seeOther(response, /^[\w-]+$/.test(code) ? `/join/${code}` : '/groups');
      })
      .get('/join/:code', async (request, response) => {
        const account = visitor(request);
        onRefusal(response, (error) =>
          dependencies.views.page(request, 'invitations/not-valid.njk', { account: account ?? null, error }),
        );
        await tries.consume(request.arrival.address);
        const invitation = await usableInvitation(dependencies, String(request.params.code), account);
        await tries.refund(request.arrival.address);
        sendHtml(response, await pages.invited(request, account, invitation));
      })
      // Whoever declines need not have an account: the code came to their mailbox.
      .post('/join/:code/decline', async (request, response) => {
        const account = visitor(request) ?? null;
        onRefusal(response, (error) =>
          dependencies.views.page(request, 'invitations/not-valid.njk', { account, error }),
        );
        await tries.consume(request.arrival.address);
        await declineInvitation(dependencies, String(request.params.code));
        await tries.refund(request.arrival.address);
        sendHtml(response, dependencies.views.page(request, 'invitations/declined.njk', { account }));
      })
      .use(forms)
  );
}
