import { type Request, Router } from 'express';
import { accountOf, signedInOf } from '../accounts/access.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { Publish } from '../bus/bus.ts';
import { LANGUAGES } from '../engines/speech/languages.ts';
import type { ChatError } from '../errors.ts';
import { formsOf } from '../http/forms.ts';
import { numberInPath, seeOther } from '../http/request.ts';
import { asHtml, type Html, sendHtml } from '../http/views.ts';
import type { Limits } from '../limits.ts';
import { type BoundOperation, bindOperations } from '../operations/define.ts';
import { type OpenGroup, openGroup } from './access.ts';
import type { DirectPage } from './direct-page.ts';
import { groupOperations } from './operations.ts';
import type { GroupPage } from './page.ts';
import { refuseSettings } from './policies.ts';
import type { GroupPresenter } from './present.ts';
import {
  type Group,
  type GroupStore,
  NOTIFICATION_LEVELS,
  type NotificationLevel,
  notificationLevelOf,
} from './store.ts';

const MEMBERS_A_PAGE = 200;
/** Names that the composer completes; the newest members of a larger group are written out. */
const COMPLETED_NAMES = 1_000;

const LEVEL_LABELS: Readonly<Record<NotificationLevel, string>> = {
  mentions: 'Mentions: when somebody calls me',
  everything: 'Everything: each new message',
  nothing: 'Nothing: it still counts as unread',
  hidden: 'Hidden: not in my list, either',
};

type Dependencies = {
  page: GroupPage;
  presenter: GroupPresenter;
  groups: GroupStore;
  accounts: AccountStore;
  publish: Publish;
  /** The operations of an account that concern groups. */
  own: readonly BoundOperation<SignedIn>[];
  limits: Limits;
  directPage: DirectPage;
  people: PeopleInGroups;
};

/** Who is here, which a feature above this one knows. */
export type PeopleInGroups = {
  /** Who has a group open, by their ids: their address where the account may see it, or nothing. */
  here(group: Group, account: Account): ReadonlyMap<number, string>;
  /** Everybody who has Hearth open, rendered. */
  overall(account: Account): string;
};

/** The list of groups, and what is done with a group as a whole. */
export function groupRoutes(dependencies: Dependencies): Router {
  const { page, presenter, groups, accounts, people } = dependencies;

  async function list(request: Request, error?: ChatError): Promise<Html> {
    const account = accountOf(request);
    const memberships = await groups.membershipsOf(account.id);
    const others = (await groups.all()).filter((group) => !memberships.has(group.id));
    const hidden: Group[] = [];
    for (const [groupId, membership] of memberships) {
      const group = await groups.byId(groupId);
      if (group && notificationLevelOf(group, membership) === 'hidden')
        hidden.push(await presenter.named(group, account.id));
    }
    const offers = await Promise.all(others.map((group) => presenter.offer(group)));
    return page(request, 'groups/index.njk', {
      offers: asHtml(offers.join('')),
      memberOf: memberships.size,
      hidden,
      name: typedName(request),
      isNew: request.query.new !== undefined,
      error: error ?? null,
    });
  }

  async function opened(request: Request, groupId: number): Promise<OpenGroup> {
    const open = await openGroup(groups, accountOf(request), groupId);
    return { ...open, group: await presenter.named(open.group, open.account.id) };
  }

  async function settings(request: Request, groupId: number, error?: ChatError): Promise<Html> {
    const open = await opened(request, groupId);
    const context = {
      group: open.group,
      total: await groups.countMembers(open.group.id),
      notificationLevel: notificationLevelOf(open.group, open.membership),
      levels: NOTIFICATION_LEVELS.map((value) => ({ value, label: LEVEL_LABELS[value] })),
      languages: LANGUAGES,
      mayChange: refuseSettings(open) === undefined,
      name: error ? typedName(request) : open.group.name,
      isSaved: request.query.saved !== undefined,
      error: error ?? null,
    };
    return page(request, 'groups/settings.njk', context, { openGroupId: open.group.id });
  }

  async function members(request: Request, groupId: number): Promise<Html> {
    const open = await opened(request, groupId);
    const total = await groups.countMembers(open.group.id);
    const ids = await groups.members(open.group.id, MEMBERS_A_PAGE);
    const accountsOrNone = await Promise.all(ids.map((id) => accounts.byId(id)));
    const members = accountsOrNone
      .filter((account): account is Account => account !== undefined)
      .sort((a, b) => a.name.localeCompare(b.name));
    return page(
      request,
      'groups/members.njk',
      {
        group: open.group,
        people: members,
        more: total - members.length,
        total,
        here: people.here(open.group, open.account),
        overall: asHtml(people.overall(open.account)),
      },
      { openGroupId: open.group.id },
    );
  }

  const router = Router()
    .get('/', async (request, response) => {
      const read = [...(await groups.membershipsOf(accountOf(request).id)).values()].sort(
        (a, b) => b.readAt - a.readAt,
      );
      seeOther(response, read[0] ? `/groups/${read[0].groupId}` : '/groups');
    })
    .get('/groups', async (request, response) => {
      sendHtml(response, await list(request));
    })
    .get('/groups/:id/members', async (request, response) => {
      sendHtml(response, await members(request, numberInPath(request, 'id')));
    })
    .get('/groups/:id/settings', async (request, response) => {
      sendHtml(response, await settings(request, numberInPath(request, 'id')));
    })
    .get('/groups/:id/names', async (request, response) => {
      const { group } = await openGroup(groups, accountOf(request), numberInPath(request, 'id'));
      const ids = await groups.members(group.id, COMPLETED_NAMES);
      const people = await Promise.all(ids.map((id) => accounts.byId(id)));
      const names = people.flatMap((account) =>
        account ? [{ username: account.username, name: account.name }] : [],
      );
      names.sort((a, b) => a.username.localeCompare(b.username));
      response.set('Cache-Control', 'no-store').json(names);
    });
  const pageOfRefusal: Readonly<Record<string, DirectPage>> = {
    'create-group': list,
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
        ? (error) => settings(request, open.group.id, error)
        : undefined,
    next: (request, { group }, operation) =>
      isFromSettings(request, operation) ? `/groups/${group.id}/settings?saved=` : `/groups/${group.id}`,
  });
  return router.use(ownForms, groupForms);
}

/** The bell of a conversation is a form of its own; every other one stands on the page of settings. */
function isFromSettings(request: Request, { path }: { path: string }): boolean {
  return path !== 'bell' || request.body?.next === 'settings';
}

function typedName(request: Request): string {
  const typed: unknown = request.body?.name;
  return typeof typed === 'string' ? typed.slice(0, 1_000) : '';
}
