import type { ZodType } from 'zod';
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
   * @returns what a socket's `ack` carries beside the target
   * @throws ChatError 400 with the sentence of the first rule that is broken, or whatever the operation refuses
   */
  run(context: Context, target: Target, body: unknown): Promise<{ change?: number } | undefined>;
}>;

/** @param definition `run` gets the parsed input; its result is passed on where it is a changed message */
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
      const result = await definition.run(context, target, parseInput(input, body));
      return hasChange(result) ? { change: result.change } : undefined;
    },
  });
}

/** @throws ChatError 400 with the sentence of the first rule that is broken, naming the field */
export function parseInput<Input>(schema: ZodType<Input>, body: unknown): Input {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(String(issue?.path[0] ?? 'form'), issue?.message ?? 'Fill in the form, then try again.');
}

function hasChange(result: unknown): result is { change: number } {
  return typeof result === 'object' && result !== null && 'change' in result;
}
