import { z } from 'zod';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { Publish } from '../events.ts';
import type { RateLimit } from '../http/rate-limit.ts';
import { defineOperation, type Operation } from '../operations/define.ts';
import { createGroup, groupName } from './create.ts';
import { joinGroup } from './join.ts';
import { leaveGroup } from './leave.ts';
import { directWith, openDirect } from './open-direct.ts';
import type { GroupStore } from './store.ts';

export const OWN_RATES = {
  creations: { points: 20, seconds: 600, sentence: 'That is many new groups.' },
  openings: { points: 60, seconds: 600, sentence: 'That is many conversations.' },
};

export type OwnOperationContext = {
  groups: GroupStore;
  accounts: AccountStore;
  publish: Publish;
  /** Limits how often an account makes groups, and begins direct conversations. */
  creations: RateLimit;
  openings: RateLimit;
};

export type OwnOperation = Operation<OwnOperationContext, Account>;

const whichGroup = z.object({
  groupId: z.coerce.number('"groupId" takes the number of a group.').int().positive(),
});

/** What an account can do with groups that it need not be a member of. Anybody who is signed in may. */
export const ownOperations: readonly OwnOperation[] = [
  defineOperation({
    name: 'create-group',
    path: '/groups',
    input: groupName,
    policy: () => undefined,
    async run(context: OwnOperationContext, account: Account, input) {
      await context.creations.take(String(account.id));
      return { groupId: (await createGroup(context, account, input)).id };
    },
  }),
  defineOperation({
    name: 'open-direct',
    path: '/direct',
    input: directWith,
    policy: () => undefined,
    async run(context: OwnOperationContext, account: Account, input) {
      await context.openings.take(String(account.id));
      return { groupId: (await openDirect(context, account, input)).id };
    },
  }),
  defineOperation({
    name: 'join',
    path: '/groups/:groupId/join',
    input: whichGroup,
    policy: () => undefined,
    async run(context: OwnOperationContext, account: Account, { groupId }) {
      await joinGroup(context, account, groupId);
      return { groupId };
    },
  }),
  defineOperation({
    name: 'leave',
    path: '/groups/:groupId/leave',
    input: whichGroup,
    policy: () => undefined,
    async run(context: OwnOperationContext, account: Account, { groupId }) {
      await leaveGroup(context, account, groupId);
      return { groupId };
    },
  }),
];
