import type { ErrorRequestHandler, RequestHandler } from 'express';
import type { Logger } from 'pino';
import { ChatError } from '../errors.ts';
import { expectedFailure } from '../http/failures.ts';

/** Skips a route where the request carries no JSON: then it is a form of a page. */
export const onlyJson: RequestHandler = (request, _response, next) => {
  next(request.is('json') ? undefined : 'route');
};

/**
 * Answers failures as `{"detail": "…"}`.
 * @param detailOf what the clients compare with, for a refusal by its code
 */
export function answerDetail(
  log: Logger,
  detailOf: Readonly<Record<string, readonly [status: number, detail: string]>>,
): ErrorRequestHandler {
  return (thrown: unknown, request, response, _next) => {
    const expected = expectedFailure(thrown);
    if (expected === undefined) log.error({ id: request.id, err: thrown }, 'unexpected failure');
    if (response.headersSent) return void response.destroy();
    const error =
      expected ?? new ChatError('internal', 500, 'Something went wrong here. Try again in a moment.');
    if (error.retryAfter !== undefined) response.setHeader('Retry-After', error.retryAfter);
    const [status, detail] = detailOf[error.code] ?? [error.status, error.message];
    response.status(status).set('Cache-Control', 'no-store').json({ detail });
  };
}
