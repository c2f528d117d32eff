import { type Request, Router } from 'express';
import { accountOf } from '../accounts/access.ts';
import { type OpenGroup, openGroup } from '../groups/access.ts';
import { formsOf } from '../http/forms.ts';
import { numberInPath } from '../http/request.ts';
import { sendHtml } from '../http/views.ts';
import type { BoundOperation } from '../operations/define.ts';
import { type AdminBotDependencies, adminBotRoutes } from './admin-routes.ts';
import { type GroupBotsDependencies, groupBotsPage } from './group-page.ts';

type Dependencies = GroupBotsDependencies &
  AdminBotDependencies & { operations: readonly BoundOperation<OpenGroup>[] };

/** The bots and webhooks of a group, for its owners, and the bots of the API, for administrators. */
export function botRoutes(dependencies: Dependencies): Router {
  const { groups, operations } = dependencies;
  const forms = formsOf(operations, {
    prefix: '/groups/:id/',
    targetOf: (request) => openGroup(groups, accountOf(request), numberInPath(request, 'id')),
    inputOf: ({ params, body }: Request) => ({ ...body, ...params }),
    pageOfRefusal: (request, open, operation) =>
      operation.policy(open) === undefined
        ? (error) => groupBotsPage(dependencies, request, open, { error, refused: operation.name })
        : undefined,
    next: (_request, { group }, _operation, { webhookId }) =>
      webhookId === undefined
        ? `/groups/${group.id}/bots?saved=`
        : `/groups/${group.id}/bots?made=${webhookId}#webhook-${webhookId}`,
  });
  return Router()
    .get('/groups/:id/bots', async (request, response) => {
      const open = await openGroup(groups, accountOf(request), numberInPath(request, 'id'));
      sendHtml(response, await groupBotsPage(dependencies, request, open));
    })
    .get('/groups/:id/commands', async (request, response) => {
      const { group } = await openGroup(groups, accountOf(request), numberInPath(request, 'id'));
      response.set('Cache-Control', 'no-store').json(await dependencies.webhooks.commandsOf(group.id));
    })
    .use(forms, adminBotRoutes(dependencies));
}
