import { STATUS_CODES } from 'node:http';
import type { ErrorRequestHandler } from 'express';
import type { Logger } from 'pino';
import { ChatError } from '../errors.ts';
import { expectedFailure } from '../http/failures.ts';

/** Answers a failed request as `application/problem+json` (RFC 9457), with the code and the field of the refusal. */
export function answerProblems(log: Logger): ErrorRequestHandler {
  return (thrown: unknown, request, response, _next) => {
    const expected = expectedFailure(thrown);
    if (expected === undefined) log.error({ id: request.id, err: thrown }, 'unexpected failure');
    if (response.headersSent) return void response.destroy();
    const { status, code, message, field, retryAfter } =
      expected ?? new ChatError('internal', 500, 'Something went wrong here. Try again in a moment.');
    if (retryAfter !== undefined) response.setHeader('Retry-After', retryAfter);
    if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer realm="Hearth"');
    const problem = {
      ...{
        type: 'about:blank',
        title: STATUS_CODES[status] ?? 'Error',
        status,
        detail: message,
        code,
        field,
      },
      ...(status === 500 && { instance: `urn:request:${request.id}` }),
    };
    response.status(status).type('application/problem+json').set('Cache-Control', 'no-store');
    response.send(JSON.stringify(problem));
  };
}
