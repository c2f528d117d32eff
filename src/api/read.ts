import type { ZodType, z } from 'zod';
import type { Scope } from '../operations/scopes.ts';
import type { Bearer } from '../tokens/identify.ts';

/** Something that can be read: an address, what it takes, and what it answers. */
export type Read<Context> = Readonly<{
  /** Unique; the `operationId` of the OpenAPI document. */
  name: string;
  /** Below /api/v1, such as `/groups/:groupId`. */
  path: string;
  scope: Scope;
  summary: string;
  /** Of the path and the query together. */
  input: ZodType;
  answer: ZodType;
  run(context: Context, bearer: Bearer, input: unknown): Promise<object>;
}>;

/** What `run` resolves to is what `answer` takes, and what it is given has been parsed with `input`. */
export function defineRead<Context, Input extends ZodType, Answer extends ZodType>(definition: {
  name: string;
  path: string;
  scope?: Scope;
  summary: string;
  input: Input;
  answer: Answer;
  run(context: Context, bearer: Bearer, input: z.output<Input>): Promise<z.input<Answer> & object>;
}): Read<Context> {
  const { scope = 'read', run } = definition;
  return Object.freeze({
    ...definition,
    scope,
    // The cast is safe: the router parses with `input` first.
    run: (context: Context, bearer: Bearer, input: unknown) => run(context, bearer, input as z.output<Input>),
  });
}
