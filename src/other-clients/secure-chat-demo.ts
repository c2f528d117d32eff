import { type Request, Router } from 'express';
import type { Logger } from 'pino';
import { z } from 'zod';
import { accountOf, signedInOf } from '../accounts/access.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import { openGroup } from '../groups/access.ts';
import { isListed } from '../groups/policies.ts';
import type { GroupStore } from '../groups/store.ts';
import type { MessageStore } from '../messages/store.ts';
import { type BoundOperation, operationNamed, parseInput } from '../operations/define.ts';
import { wholeNumber } from '../operations/fields.ts';
import type { LivePresence } from '../presence/live.ts';
import { answerDetail } from './detail.ts';

const MESSAGES = 100;
const DETAILS = { not_signed_in: [401, 'Unauthorized'], name_taken: [400, 'Group exists'] } as const;

const groupInQuery = z.object({ group_id: wholeNumber('"group_id" takes the number of a group.') });

export type SecureChatDemoDependencies = {
  log: Logger;
  accounts: AccountStore;
  groups: GroupStore;
  messages: MessageStore;
  livePresence: LivePresence;
  ownOperations: readonly BoundOperation<SignedIn>[];
};

/**
 * What Secure Chat Demo's pages ask for, with the session cookie, and with the rights that the original forgot: a group
 * is listed for those who may know of it, and read by its members.
 */
export function secureChatDemoRoutes(dependencies: SecureChatDemoDependencies): Router {
  const { accounts, groups, messages, livePresence, ownOperations, log } = dependencies;
  const create = operationNamed(ownOperations, 'create-group');
  const join = operationNamed(ownOperations, 'join');
  const router = Router();
  router
    .get('/users/active', async (request, response) => {
      const { isGuest } = accountOf(request);
      const active = isGuest ? [] : [...livePresence.presenter.anywhere(false).keys()];
      response.json(await named(accounts, active));
    })
    .get('/groups', async (request, response) => {
      const listed = await groupsOf(groups, accountOf(request));
      response.json(listed.map(({ id, name }) => ({ id, name })));
    })
    .post('/groups', async (request, response) => {
      const { name } = request.query;
      const { groupId = 0 } = await create.run(signedInOf(request), { name });
      response.json({ id: groupId, name: (await groups.byId(groupId))?.name });
    })
    .post('/groups/join', async (request, response) => {
      const signedIn = signedInOf(request);
      await join.run(signedIn, { groupId: groupIn(request) });
      response.json({ ok: true });
    })
    .get('/groups/:id/active_users', async (request, response) => {
      const id = parseInput(groupInQuery, { group_id: request.params.id }).group_id;
      const { group } = await openGroup(groups, accountOf(request), id);
      response.json(await named(accounts, [...livePresence.presenter.here(group, false).keys()]));
    })
    .get('/messages', async (request, response) => {
      const { group } = await openGroup(groups, accountOf(request), groupIn(request));
      const newest = await messages.between(
        group.id,
        Math.max(1, group.lastSeq - MESSAGES + 1),
        group.lastSeq,
      );
      const shown = newest.filter(({ removedAt }) => removedAt === null);
      const answers = shown.map(async ({ seq, authorId, content, createdAt }) => ({
        ...{ id: seq, group_id: group.id, author: await authorOf(accounts, authorId), content },
        created_at: new Date(createdAt).toISOString(),
      }));
      response.json(await Promise.all(answers));
    });
  return router.use(answerDetail(log, DETAILS));
}

/** The name of an author; the account may have been deleted. */
export async function authorOf(accounts: AccountStore, id: number): Promise<string> {
  return (await accounts.byId(id))?.username ?? `user#${id}`;
}

function groupIn(request: Request): number {
  return parseInput(groupInQuery, request.query).group_id;
}

async function groupsOf(groups: GroupStore, account: Account) {
  const memberships = await groups.membershipsOf(account.id);
  return (await groups.all()).filter(
    (group) => group.archivedAt === null && isListed(group, memberships.get(group.id), account),
  );
}

async function named(accounts: AccountStore, ids: readonly number[]) {
  const people = await Promise.all(ids.map((id) => accounts.byId(id)));
  return people.filter((person) => person !== undefined).map(({ id, username }) => ({ id, username }));
}
