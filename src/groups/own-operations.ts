import { z } from 'zod';
import { refuseGuest } from '../accounts/policies.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import type { AccountStore } from '../accounts/store.ts';
import type { Publish } from '../bus/bus.ts';
import type { Config } from '../config.ts';
import { type ChatError, forbidden } from '../errors.ts';
import { defineOperation, type Operation } from '../operations/define.ts';
import { createGroup, newGroup } from './create.ts';
import { askToJoin, joinGroup } from './join.ts';
import type { JoinRequestStore } from './join-request-store.ts';
import { leaveGroup } from './leave.ts';
import { directWith, openDirect } from './open-direct.ts';
import type { GroupStore } from './store.ts';

const CREATIONS = { name: 'new groups', points: 20, seconds: 600, sentence: 'That is many new groups.' };
const OPENINGS = {
  name: 'new conversations',
  points: 60,
  seconds: 600,
  sentence: 'That is many conversations.',
};

const REQUESTS = {
  name: 'requests to join',
  points: 20,
  seconds: 3_600,
  sentence: 'That is many requests.',
};

export type OwnOperationContext = {
  groups: GroupStore;
  joinRequests: JoinRequestStore;
  accounts: AccountStore;
  publish: Publish;
  config: Pick<Config, 'inboxOnly'>;
};

/** With INBOX_ONLY there are no conversations but the private lines. */
function refuseInInbox(_target: SignedIn, { config }: OwnOperationContext): ChatError | undefined {
  return config.inboxOnly ? forbidden('Here people write to the administrators only.') : undefined;
}

export type OwnOperation = Operation<OwnOperationContext, SignedIn>;

const whichGroup = z.object({
  groupId: z.coerce.number('"groupId" takes the number of a group.').int().positive(),
});

/** What an account can do with groups that it need not be a member of. Guests leave groups and write to people in them. */
export const ownOperations: readonly OwnOperation[] = [
  defineOperation({
    name: 'create-group',
    path: '/groups',
    input: newGroup,
    rate: CREATIONS,
    policy: (target: SignedIn, context: OwnOperationContext) =>
      refuseGuest(target) ?? refuseInInbox(target, context),
    async run(context: OwnOperationContext, { account }: SignedIn, input) {
      return { groupId: (await createGroup(context, account, input)).id };
    },
  }),
  defineOperation({
    name: 'open-direct',
    path: '/direct',
    input: directWith,
    rate: OPENINGS,
    policy: refuseInInbox,
    async run(context: OwnOperationContext, { account }: SignedIn, input) {
      return { groupId: (await openDirect(context, account, input)).id };
    },
  }),
  defineOperation({
    name: 'join',
    path: '/groups/:groupId/join',
    input: whichGroup,
    policy: refuseGuest,
    async run(context: OwnOperationContext, { account }: SignedIn, { groupId }) {
      await joinGroup(context, account, groupId);
      return { groupId };
    },
  }),
  defineOperation({
    name: 'ask-to-join',
    path: '/groups/:groupId/ask',
    input: whichGroup,
    rate: REQUESTS,
    policy: refuseGuest,
    async run(context: OwnOperationContext, { account }: SignedIn, { groupId }) {
      await askToJoin(context, account, groupId);
      return { groupId };
    },
  }),
  defineOperation({
    name: 'leave',
    path: '/groups/:groupId/leave',
    input: whichGroup,
    policy: () => undefined,
    async run(context: OwnOperationContext, { account }: SignedIn, { groupId }) {
      await leaveGroup(context, account, groupId);
      return { groupId };
    },
  }),
];
