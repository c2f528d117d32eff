import { type Request, Router } from 'express';
import { requireAdmin, signedInOf } from '../accounts/access.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import { formsOf } from '../http/forms.ts';
import { numberInPath } from '../http/request.ts';
import { shared } from '../http/share.ts';
import { sendHtml } from '../http/views.ts';
import type { BoundOperation } from '../operations/define.ts';
import { type AdminDependencies, linkForNewPassword, personById } from './administrate.ts';
import { groupsPage } from './groups-page.ts';
import { AdminPages, type AdminPagesDependencies } from './pages.ts';

type Dependencies = AdminDependencies &
  AdminPagesDependencies & { operations: readonly BoundOperation<SignedIn>[] };

/** `/admin`, for administrators. */
export function adminRoutes(dependencies: Dependencies): Router {
  const pages = new AdminPages(dependencies);
  const forms = formsOf(dependencies.operations, {
    targetOf: signedInOf,
    inputOf: ({ params, body }: Request) => ({ ...body, ...params }),
    pageOfRefusal: (request, { account }) => {
      if (!account.isAdmin) return undefined;
      const { personId, groupId } = request.params;
      if (groupId !== undefined)
        return (error) => groupsPage(dependencies, request, { groupId: Number(groupId), error });
      return (error) =>
        personId === undefined || error.status === 404
          ? pages.overview(request, error)
          : pages.person(request, Number(personId), error);
    },
    next: ({ params }, _target, { name }) => {
      if (params.groupId !== undefined) return '/admin/groups?deleted=';
      if (name === 'delete-account') return '/admin/people?deleted=';
      return params.personId === undefined ? '/admin?saved=' : `/admin/people/${Number(params.personId)}`;
    },
  });
  return Router()
    .get('/admin', async (request, response) => {
      sendHtml(response, await pages.overview(request));
    })
    .get('/admin/people', async (request, response) => {
      sendHtml(response, await pages.people(request));
    })
    .get('/admin/people/:id', async (request, response) => {
      sendHtml(response, await pages.person(request, numberInPath(request, 'id')));
    })
    .get('/admin/groups', async (request, response) => {
      sendHtml(response, await groupsPage(dependencies, request));
    })
    .get('/admin/log', async (request, response) => {
      sendHtml(response, await pages.log(request));
    })
    .post('/admin/people/:id/password-link', async (request, response) => {
      const admin = requireAdmin(request);
      const person = await personById(dependencies.accounts, numberInPath(request, 'id'));
      const path = await linkForNewPassword(dependencies, admin, person);
      sendHtml(response, await pages.passwordLink(request, person, await shared(request, path)));
    })
    .use(forms);
}
