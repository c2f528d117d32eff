import { type ZodType, z } from 'zod';
import { type ChatError, invalid } from '../errors.ts';

/**
 * One thing that an account can do with a target (a message, a group …). The doors — form, htmx fragment, socket
 * command — are made from a table of these, so that an operation is reachable everywhere and checked the same way.
 */
export type Operation<Context, Target> = Readonly<{
  /** Unique in its table; the `type` of the socket command. */
  name: string;
  /** The address of its form below that of the group, such as `messages/:seq/edit`. */
  path: string;
  /** Who may: undefined, or the refusal. Templates ask it for which buttons to show. */
  policy(target: Target, context: Context): ChatError | undefined;
  /**
   * Parses what a door received, and runs.
   * @returns what an acknowledgement carries beside the target
   * @throws ChatError 400 with the sentence of the first rule that is broken, or whatever the operation refuses
   */
  run(context: Context, target: Target, body: unknown): Promise<Outcome>;
}>;

/** The change counter of a message that was changed, or the group that was made or entered. */
export type Outcome = { change?: number; groupId?: number };

/** @param definition `run` gets the parsed input; its result is passed on where it is a changed message or names a group */
export function defineOperation<Context, Target, Input>(definition: {
  name: string;
  path: string;
  input: ZodType<Input>;
  policy(target: Target, context: Context): ChatError | undefined;
  run(context: Context, target: Target, input: Input): Promise<unknown>;
}): Operation<Context, Target> {
  const { name, path, input, policy } = definition;
  return Object.freeze({
    name,
    path,
    policy,
    async run(context: Context, target: Target, body: unknown) {
      return outcomeOf(await definition.run(context, target, parseInput(input, body)));
    },
  });
}

/** An operation with what it needs, as a door uses it. `run` asks the policy first. */
export type BoundOperation<Target> = Readonly<{
  name: string;
  path: string;
  policy(target: Target): ChatError | undefined;
  run(target: Target, body: unknown): Promise<Outcome>;
}>;

export function bindOperations<Context, Target>(
  operations: readonly Operation<Context, Target>[],
  context: Context,
): BoundOperation<Target>[] {
  return operations.map(({ name, path, policy, run }) => ({
    name,
    path,
    policy: (target) => policy(target, context),
    async run(target, body) {
      const refusal = policy(target, context);
      if (refusal) throw refusal;
      return run(context, target, body);
    },
  }));
}

/** The `id` that a socket command may carry, and that comes back with its acknowledgement. */
export const identified = z.object({
  id: z.string().max(100, '"id" has at most 100 characters.').optional(),
});

/** @throws ChatError 400 with the sentence of the first rule that is broken, naming the field */
export function parseInput<Input>(schema: ZodType<Input>, body: unknown): Input {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(String(issue?.path[0] ?? 'form'), issue?.message ?? 'Fill in the form, then try again.');
}

function outcomeOf(result: unknown): Outcome {
  if (typeof result !== 'object' || result === null) return {};
  // Messages and groups have these, and nothing else that runs gives back.
  const { change, groupId } = result as Outcome;
  return change !== undefined ? { change } : groupId !== undefined ? { groupId } : {};
}
