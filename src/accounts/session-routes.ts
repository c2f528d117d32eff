import { type Request, Router } from 'express';
import { formsOf } from '../http/forms.ts';
import { sendHtml, type Views } from '../http/views.ts';
import type { BoundOperation } from '../operations/define.ts';
import { signedInOf } from './access.ts';
import type { SessionListStore } from './session-list-store.ts';
import type { SignedIn } from './sessions.ts';

type Dependencies = {
  views: Views;
  sessionList: SessionListStore;
  sessionOperations: readonly BoundOperation<SignedIn>[];
};

/** The page of one's sessions, where each of them can be ended. */
export function sessionRoutes({ views, sessionList, sessionOperations }: Dependencies): Router {
  const forms = formsOf(sessionOperations, {
    targetOf: signedInOf,
    inputOf: ({ params, body }: Request) => ({ ...body, ...params }),
    next: () => '/account/sessions',
  });
  return Router()
    .get('/account/sessions', async (request, response) => {
      const { account, sessionId } = signedInOf(request);
      const listed = await sessionList.of(account.id, account.sessionEpoch);
      const sessions = listed.map((session) => ({
        ...session,
        isThis: session.sessionId === sessionId,
        started: new Date(session.startedAt).toISOString(),
        used: new Date(session.usedAt).toISOString(),
      }));
      sendHtml(response, views.page(request, 'accounts/sessions.njk', { account, sessions }));
    })
    .use(forms);
}
