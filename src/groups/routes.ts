import { type Request, Router } from 'express';
import { accountOf, signedInOf } from '../accounts/access.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import type { AuditStore } from '../audit/store.ts';
import type { Publish } from '../bus/bus.ts';
import { formsOf } from '../http/forms.ts';
import { numberInPath, seeOther } from '../http/request.ts';
import { sendHtml } from '../http/views.ts';
import type { Limits } from '../limits.ts';
import { type BoundOperation, bindOperations } from '../operations/define.ts';
import { openGroup } from './access.ts';
import type { DirectPage } from './direct-page.ts';
import type { JoinRequestStore } from './join-request-store.ts';
import { groupOperations } from './operations.ts';
import { GroupPages, type GroupPagesDependencies } from './pages.ts';

/** Maximum number of names that the composer completes; in a larger group, others have to be typed in full. */
const COMPLETED_NAMES = 1_000;

/** The forms that stand on the page of members. */
const MEMBER_FORMS = new Set([
  'make-owner',
  'transfer-ownership',
  'remove-owner',
  'remove-member',
  'answer-request',
]);

type Dependencies = GroupPagesDependencies & {
  publish: Publish;
  audit: AuditStore;
  /** The operations of an account that concern groups. */
  own: readonly BoundOperation<SignedIn>[];
  limits: Limits;
  joinRequests: JoinRequestStore;
  directPage: DirectPage;
};

/** The list of groups, and what is done with a group as a whole. */
export function groupRoutes(dependencies: Dependencies): Router {
  const pages = new GroupPages(dependencies);
  return pageRoutes(dependencies, pages).use(...formRoutes(dependencies, pages));
}

function pageRoutes(dependencies: Dependencies, pages: GroupPages): Router {
  const { groups } = dependencies;
  return Router()
    .get('/', async (request, response) => {
      const read = [...(await groups.membershipsOf(accountOf(request).id)).values()].sort(
        (a, b) => b.readAt - a.readAt,
      );
      seeOther(response, read[0] ? `/groups/${read[0].groupId}` : '/groups');
    })
    .get('/groups', async (request, response) => {
      sendHtml(response, await pages.list(request));
    })
    .get('/groups/:id/members', async (request, response) => {
      sendHtml(response, await pages.members(request, numberInPath(request, 'id')));
    })
    .get('/groups/:id/settings', async (request, response) => {
      sendHtml(response, await pages.settings(request, numberInPath(request, 'id')));
    })
    .get('/groups/:id/names', async (request, response) => {
      const id = numberInPath(request, 'id');
      response.set('Cache-Control', 'no-store').json(await namesOf(dependencies, request, id));
    });
}

function formRoutes(dependencies: Dependencies, pages: GroupPages): Router[] {
  const { groups } = dependencies;
  const pageOfRefusal: Readonly<Record<string, DirectPage>> = {
    'create-group': (request, error) => pages.list(request, error),
    'open-direct': dependencies.directPage,
  };
  const ownForms = formsOf(dependencies.own, {
    targetOf: signedInOf,
    // The group to join or leave is in the address.
    inputOf: (request) =>
      request.params.groupId === undefined ? request.body : { groupId: numberInPath(request, 'groupId') },
    pageOfRefusal: (request, _target, { name }) => {
      const page = pageOfRefusal[name];
      return page && ((error) => page(request, error));
    },
    next: (_request, _target, { name }, { groupId }) => (name === 'leave' ? '/groups' : `/groups/${groupId}`),
  });
  const groupForms = formsOf(bindOperations(groupOperations, dependencies, dependencies.limits), {
    prefix: '/groups/:id/',
    targetOf: (request) => openGroup(groups, accountOf(request), numberInPath(request, 'id')),
    pageOfRefusal: (request, open, operation) =>
      isFromSettings(request, operation) && operation.policy(open) === undefined
        ? (error) =>
            MEMBER_FORMS.has(operation.name)
              ? pages.members(request, open.group.id, error)
              : pages.settings(request, open.group.id, error)
        : undefined,
    next(request, { group }, operation) {
      if (operation.name === 'delete-group') return '/groups?deleted=';
      if (MEMBER_FORMS.has(operation.name)) return `/groups/${group.id}/members`;
      return isFromSettings(request, operation)
        ? `/groups/${group.id}/settings?saved=`
        : `/groups/${group.id}`;
    },
  });
  return [ownForms, groupForms];
}

/** Whether a form is on the settings page. Only the bell is also in the conversation; see the field `next`. */
function isFromSettings(request: Request, { path }: { path: string }): boolean {
  return path !== 'bell' || request.body?.next === 'settings';
}

/** Whom the composer may complete. */
async function namesOf({ groups, accounts }: Dependencies, request: Request, groupId: number) {
  const { group } = await openGroup(groups, accountOf(request), groupId);
  const ids = await groups.members(group.id, COMPLETED_NAMES);
  const people = await Promise.all(ids.map((id) => accounts.byId(id)));
  return people
    .flatMap((account) => (account ? [{ username: account.username, name: account.name }] : []))
    .sort((a, b) => a.username.localeCompare(b.username));
}
