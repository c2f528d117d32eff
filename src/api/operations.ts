import type { z } from 'zod';
import type { SignedIn } from '../accounts/sessions.ts';
import type { Account } from '../accounts/store.ts';
import { type OpenGroup, openGroup } from '../groups/access.ts';
import type { GroupStore } from '../groups/store.ts';
import { type MessageTarget, messageTarget } from '../messages/operations.ts';
import type { MessageStore } from '../messages/store.ts';
import { type BoundOperation, type Outcome, parseInput } from '../operations/define.ts';
import { wholeNumber } from '../operations/fields.ts';
import type { NeededScope } from '../operations/scopes.ts';
import { inGroup } from './reads/groups.ts';

/** An operation of the tables, as a route. */
export type OperationRoute = Readonly<{
  name: string;
  /** Below /api/v1, such as `/groups/:groupId/rename`. */
  path: string;
  scope: NeededScope;
  /** What it takes in its body, or in its path. */
  input: z.ZodType;
  run(signedIn: SignedIn, params: Params, body: unknown): Promise<Outcome>;
}>;

type Params = Readonly<Record<string, unknown>>;

/** The tables of operations, by what they are about. */
export type OperationTables = {
  conversationOperations: readonly BoundOperation<OpenGroup>[];
  messageOperations: readonly BoundOperation<MessageTarget>[];
  settingOperations: readonly BoundOperation<OpenGroup>[];
  ownOperations: readonly BoundOperation<SignedIn>[];
};

const ofMessage = inGroup.extend({ seq: wholeNumber('"seq" takes the number of a message.') });

/** A route for every operation that a token may use, with the address of its form. */
export function operationRoutes(
  stores: { groups: GroupStore; messages: MessageStore },
  tables: OperationTables,
): OperationRoute[] {
  const open = (account: Account, params: Params) =>
    openGroup(stores.groups, account, parseInput(inGroup, params).groupId);
  const inGroups = [...tables.conversationOperations, ...tables.settingOperations].map(
    (operation): OperationRoute => ({
      ...{ name: operation.name, path: `/groups/:groupId/${operation.path}`, scope: operation.scope },
      input: operation.input,
      run: async ({ account }, params, body) =>
        operation.run(await open(account, params), { ...asObject(body), ...params }),
    }),
  );
  const onMessages = tables.messageOperations.map(
    (operation): OperationRoute => ({
      ...{ name: operation.name, path: `/groups/:groupId/${operation.path}`, scope: operation.scope },
      input: operation.input,
      async run({ account }, params, body) {
        const { seq } = parseInput(ofMessage, params);
        const target = await messageTarget(stores.messages, await open(account, params), seq);
        return { seq, ...(await operation.run(target, body)) };
      },
    }),
  );
  const own = tables.ownOperations.map(
    (operation): OperationRoute => ({
      ...{ name: operation.name, path: operation.path, scope: operation.scope, input: operation.input },
      run: (signedIn, params, body) => operation.run(signedIn, { ...asObject(body), ...params }),
    }),
  );
  return [...inGroups, ...onMessages, ...own].filter(({ scope }) => scope !== 'session');
}

function asObject(body: unknown): object {
  return typeof body === 'object' && body !== null ? body : {};
}
