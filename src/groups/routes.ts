import { type Request, Router } from 'express';
import { accountOf } from '../accounts/access.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { ChatError } from '../errors.ts';
import type { Publish } from '../events.ts';
import { onRefusal } from '../http/failures.ts';
import { createRateLimit } from '../http/rate-limit.ts';
import { numberInPath, parseForm, seeOther } from '../http/request.ts';
import { asHtml, type Html, sendHtml } from '../http/views.ts';
import { mayRename, openGroup } from './access.ts';
import { createGroup, groupName } from './create.ts';
import { joinGroup } from './join.ts';
import { leaveGroup } from './leave.ts';
import type { GroupPage } from './page.ts';
import type { GroupPresenter } from './present.ts';
import { renameGroup } from './rename.ts';
import { bellForm, setBell } from './set-bell.ts';
import { correctionsForm, setCorrections } from './set-corrections.ts';
import { bellOf, type Group, type GroupStore } from './store.ts';

const CREATIONS = { points: 20, seconds: 600, sentence: 'That is many new groups.' };
const MEMBERS_A_PAGE = 200;
/** Names that the composer completes; the newest members of a larger group are written out. */
const COMPLETED_NAMES = 1_000;

type Dependencies = {
  page: GroupPage;
  presenter: GroupPresenter;
  groups: GroupStore;
  accounts: AccountStore;
  publish: Publish;
  rateLimits: boolean;
  /** Who is here: rendered by a feature above this one. */
  people(group: Group, account: Account): Promise<string>;
};

/** The list of groups, and what is done with a group as a whole. */
export function groupRoutes(dependencies: Dependencies): Router {
  const { page, presenter, groups, accounts, rateLimits, people: whoIsHere } = dependencies;
  const creations = createRateLimit(CREATIONS, rateLimits);

  async function list(request: Request, error?: ChatError): Promise<Html> {
    const account = accountOf(request);
    const memberships = await groups.membershipsOf(account.id);
    const others = (await groups.all()).filter((group) => !memberships.has(group.id));
    const hidden: Group[] = [];
    for (const [groupId, membership] of memberships) {
      const group = await groups.byId(groupId);
      if (group && bellOf(group, membership) === 'hidden')
        hidden.push(await presenter.named(group, account.id));
    }
    const offers = await Promise.all(others.map(presenter.offer));
    return page(request, 'groups/index.njk', {
      offers: asHtml(offers.join('')),
      memberOf: memberships.size,
      hidden,
      name: typedName(request),
      isNew: request.query.new !== undefined,
      error: error ?? null,
    });
  }

  async function members(request: Request, groupId: number, error?: ChatError): Promise<Html> {
    const opened = await openGroup(groups, accountOf(request), groupId);
    const open = { ...opened, group: await presenter.named(opened.group, opened.account.id) };
    const total = await groups.countMembers(open.group.id);
    const ids = await groups.members(open.group.id, MEMBERS_A_PAGE);
    const found = await Promise.all(ids.map((id) => accounts.byId(id)));
    const people = found
      .filter((one): one is Account => one !== undefined)
      .sort((a, b) => a.name.localeCompare(b.name));
    return page(
      request,
      'groups/members.njk',
      {
        group: open.group,
        people,
        more: total - people.length,
        total,
        mayRename: mayRename(open),
        aside: asHtml(await whoIsHere(open.group, open.account)),
        name: error ? typedName(request) : open.group.name,
        error: error ?? null,
      },
      { openGroupId: open.group.id },
    );
  }

  return Router()
    .get('/', async (request, response) => {
      const read = [...(await groups.membershipsOf(accountOf(request).id)).values()].sort(
        (a, b) => b.readAt - a.readAt,
      );
      seeOther(response, read[0] ? `/groups/${read[0].groupId}` : '/groups');
    })
    .get('/groups', async (request, response) => {
      sendHtml(response, await list(request));
    })
    .post('/groups', async (request, response) => {
      const account = accountOf(request);
      onRefusal(response, (error) => list(request, error));
      const wanted = parseForm(groupName, request.body);
      await creations.take(String(account.id));
      const group = await createGroup(dependencies, account, wanted);
      seeOther(response, `/groups/${group.id}`);
    })
    .get('/groups/:id/members', async (request, response) => {
      sendHtml(response, await members(request, numberInPath(request, 'id')));
    })
    .get('/groups/:id/names', async (request, response) => {
      const { group } = await openGroup(groups, accountOf(request), numberInPath(request, 'id'));
      const ids = await groups.members(group.id, COMPLETED_NAMES);
      const people = await Promise.all(ids.map((id) => accounts.byId(id)));
      const names = people.flatMap((one) => (one ? [{ username: one.username, name: one.name }] : []));
      names.sort((a, b) => a.username.localeCompare(b.username));
      response.set('Cache-Control', 'no-store').json(names);
    })
    .post('/groups/:id/join', async (request, response) => {
      const groupId = numberInPath(request, 'id');
      await joinGroup(dependencies, accountOf(request), groupId);
      seeOther(response, `/groups/${groupId}`);
    })
    .post('/groups/:id/leave', async (request, response) => {
      await leaveGroup(dependencies, accountOf(request), numberInPath(request, 'id'));
      seeOther(response, '/groups');
    })
    .post('/groups/:id/bell', async (request, response) => {
      const open = await openGroup(groups, accountOf(request), numberInPath(request, 'id'));
      await setBell(dependencies, open, parseForm(bellForm, request.body));
      seeOther(response, `/groups/${open.group.id}`);
    })
    .post('/groups/:id/corrections', async (request, response) => {
      const open = await openGroup(groups, accountOf(request), numberInPath(request, 'id'));
      await setCorrections(groups, open, parseForm(correctionsForm, request.body));
      seeOther(response, `/groups/${open.group.id}/members`);
    })
    .post('/groups/:id/rename', async (request, response) => {
      const open = await openGroup(groups, accountOf(request), numberInPath(request, 'id'));
      if (mayRename(open)) onRefusal(response, (error) => members(request, open.group.id, error));
      await renameGroup(dependencies, open, parseForm(groupName, request.body));
      seeOther(response, `/groups/${open.group.id}/members`);
    });
}

function typedName(request: Request): string {
  const typed: unknown = request.body?.name;
  return typeof typed === 'string' ? typed.slice(0, 1_000) : '';
}
