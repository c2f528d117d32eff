import { type Request, Router } from 'express';
import { signedInOf } from '../accounts/access.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import { formsOf } from '../http/forms.ts';
import { sendHtml } from '../http/views.ts';
import type { BoundOperation } from '../operations/define.ts';
import { type SpacePageDependencies, spacePage } from './space-page.ts';

type Dependencies = SpacePageDependencies & { operations: readonly BoundOperation<SignedIn>[] };

/** `/admin/space`, for administrators. */
export function retentionRoutes(dependencies: Dependencies): Router {
  const forms = formsOf(dependencies.operations, {
    targetOf: signedInOf,
    inputOf: ({ params, body }: Request) => ({ ...body, ...params }),
    pageOfRefusal(request, { account }) {
      const groupId = Number(request.params.groupId ?? 0);
      return account.isAdmin ? (error) => spacePage(dependencies, request, { groupId, error }) : undefined;
    },
    next: (_request, _target, { name }) =>
      name === 'purge' ? '/admin/space?purging=' : '/admin/space?saved=',
  });
  return Router()
    .get('/admin/space', async (request, response) => {
      sendHtml(response, await spacePage(dependencies, request));
    })
    .use(forms);
}
