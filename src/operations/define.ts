import { type ZodType, z } from 'zod';
import { ChatError, invalid } from '../errors.ts';
import type { Limits, Rate } from '../limits.ts';
import type { NeededScope } from './scopes.ts';
import { sentenceOf } from './sentences.ts';

/**
 * One thing that an account can do with a target (a message, a group, itself …). The doors — form, htmx fragment,
 * socket command — are made from a table of these, so that an operation is reachable everywhere and checked the same way.
 */
export type Operation<Context, Target> = Readonly<{
  /** Unique in its table; the `type` of the socket command. */
  name: string;
  /** The address of its form, below that of the target, such as `messages/:seq/edit`. */
  path: string;
  /** How often an account may. Operations that share a rate are counted together. */
  rate?: Rate | undefined;
  /** Whether its command is acknowledged only if it carries an id; for frequent commands that nobody waits for. */
  isQuiet?: boolean | undefined;
  /** Who may: undefined, or the refusal. Templates ask it for which buttons to show. */
  policy(target: Target, context: Context): ChatError | undefined;
  /** What it takes. */
  input: ZodType;
  /** What the token of a program needs; absent is that of its table. */
  scope?: NeededScope | undefined;
  /**
   * Parses what a door received.
   * @returns a function that runs the operation and resolves to the fields of its acknowledgement
   * @throws ChatError 400 with the sentence of the first rule that is broken
   */
  prepare(body: unknown): (context: Context, target: Target) => Promise<Outcome>;
  /** What an earlier try of the same request did, whose answer was lost; asked where this try is refused. */
  repeated?: ((context: Context, target: Target, body: unknown) => Promise<Outcome | undefined>) | undefined;
}>;

/** The result of an operation: the message that was sent or changed, or the group, invitation or webhook that was made or joined. */
export type Outcome = Readonly<{
  id?: string;
  seq?: number;
  change?: number;
  groupId?: number;
  invitationId?: number;
  /** Of an invitation that was made: its link is `/join/<code>`. */
  code?: string;
  webhookId?: number;
}>;

/** The account that the rate limit counts an operation for. */
export type Actor = Readonly<{ account: Readonly<{ id: number }> }>;

export function defineOperation<Context, Target extends Actor, Input>(definition: {
  name: string;
  path: string;
  input: ZodType<Input>;
  rate?: Rate;
  isQuiet?: boolean;
  scope?: NeededScope;
  policy(target: Target, context: Context): ChatError | undefined;
  run(context: Context, target: Target, input: Input): Promise<Outcome> | Promise<void>;
  repeated?(context: Context, target: Target, input: Input): Promise<Outcome | undefined>;
}): Operation<Context, Target> {
  const { name, path, input, rate, isQuiet, scope, policy, run, repeated } = definition;
  return Object.freeze({
    name,
    path,
    rate,
    isQuiet,
    policy,
    input,
    scope,
    prepare(body: unknown) {
      const parsed = parseInput(input, body);
      return async (context: Context, target: Target) => (await run(context, target, parsed)) ?? {};
    },
    repeated:
      repeated &&
      (async (context: Context, target: Target, body: unknown) => {
        const { success, data } = input.safeParse(body ?? {});
        return success ? repeated(context, target, data) : undefined;
      }),
  });
}

/**
 * An operation with its dependencies. `run` checks the policy, the input and the rate limit, in this order; a request
 * that is repeated has the outcome of its first try.
 */
export type BoundOperation<Target> = Readonly<{
  name: string;
  path: string;
  isQuiet: boolean;
  policy(target: Target): ChatError | undefined;
  input: ZodType;
  scope: NeededScope;
  run(target: Target, body: unknown): Promise<Outcome>;
}>;

/** @param ofTable the scope of the operations that name none */
export function bindOperations<Context, Target extends Actor>(
  operations: readonly Operation<Context, Target>[],
  context: Context,
  limits: Limits,
  ofTable: NeededScope = 'write',
): BoundOperation<Target>[] {
  return operations.map((operation) => {
    const {
      name,
      path,
      rate,
      isQuiet = false,
      policy,
      input,
      scope = ofTable,
      prepare,
      repeated,
    } = operation;
    const limit = rate && limits.of(rate);
    return {
      name,
      path,
      isQuiet,
      input,
      scope,
      policy: (target) => policy(target, context),
      async run(target, body) {
        try {
          const refusal = policy(target, context);
          if (refusal) throw refusal;
          const perform = prepare(body);
          await limit?.consume(String(target.account.id));
          return await perform(context, target);
        } catch (error) {
          const before = error instanceof ChatError ? await repeated?.(context, target, body) : undefined;
          if (!before) throw error;
          return before;
        }
      },
    };
  });
}

/** The operation of that name, for a route of its own. @throws Error when there is none */
export function operationNamed<Target>(
  operations: readonly BoundOperation<Target>[],
  name: string,
): BoundOperation<Target> {
  const operation = operations.find((operation) => operation.name === name);
  if (!operation) throw new Error(`There is no operation ${name}.`);
  return operation;
}

const ID_RULE = '"id" takes a text of 1 to 64 characters.';

/** The `id` that a socket command may carry, and that comes back with its acknowledgement. */
export const identified = z.object({ id: z.string(ID_RULE).min(1, ID_RULE).max(64, ID_RULE).optional() });

/** @throws ChatError 400 with the sentence of the first rule that is broken, naming the field */
export function parseInput<Input>(schema: ZodType<Input>, body: unknown): Input {
  const parsed = schema.safeParse(body ?? {}, { error: sentenceOf });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(String(issue?.path[0] ?? 'form'), issue?.message ?? 'Fill in the form, then try again.');
}
