import { type Request, type Response, Router } from 'express';
import type { ChatError } from '../errors.ts';
import type { BoundOperation, Outcome } from '../operations/define.ts';
import { onRefusal } from './failures.ts';
import { seeOther, wantsFragment } from './request.ts';
import type { Html } from './views.ts';

/** What a form of a target needs beside its operation. */
type FormDoor<Target> = {
  /** The address of the target, before that of the operation; with its slash. */
  prefix?: string;
  /** What the form is about. @throws ChatError where it is not for this account, or not there */
  targetOf(request: Request): Target | Promise<Target>;
  /** What the operation takes; the body, where this is not given. */
  inputOf?(request: Request): unknown;
  /** Renders the page of the form again, with the refusal; undefined for the generic failure page. */
  pageOfRefusal?(
    request: Request,
    target: Target,
    operation: BoundOperation<Target>,
  ): ((error: ChatError) => Html | Promise<Html>) | undefined;
  /** The path to redirect to, or undefined to answer 204. Must not contain user input. */
  next(
    request: Request,
    target: Target,
    operation: BoundOperation<Target>,
    outcome: Outcome,
  ): string | undefined;
};

/** A POST route for each operation. Scripts get 204, not a redirect: they receive the change as a push. */
export function formsOf<Target>(
  operations: readonly BoundOperation<Target>[],
  { prefix = '', targetOf, inputOf = ({ body }) => body, pageOfRefusal, next }: FormDoor<Target>,
): Router {
  const router = Router();
  for (const operation of operations)
    router.post(`${prefix}${operation.path}`, async (request: Request, response: Response) => {
      const target = await targetOf(request);
      const retry = pageOfRefusal?.(request, target, operation);
      if (retry) onRefusal(response, retry);
      const outcome = await operation.run(target, inputOf(request));
      const address = next(request, target, operation, outcome);
      if (address === undefined || wantsFragment(request)) response.status(204).end();
      else seeOther(response, address);
    });
  return router;
}
