import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { ChatError, diskFull, notFound, unreadable } from '../errors.ts';
import { ownPath, seeOther, wantsFragment } from './request.ts';
import { type Html, sendHtml, type Views } from './views.ts';

/** Renders the page a form was sent from, with the sentence at its field and what the person typed. */
export type Retry = (error: ChatError) => Html | Promise<Html>;

/** Says how a refused form is shown again. A route calls it before anything can be refused. */
export function onRefusal(response: Response, retry: Retry): void {
  response.locals.retry = retry;
}

/** Handles requests that match no route. */
export const nothingHere: RequestHandler = () => {
  throw notFound();
};

/** Answers every failed request: a page, the form again, a fragment or JSON. No answer carries a stack. */
export function answerFailures(views: Views, log: Logger): ErrorRequestHandler {
  return async (thrown: unknown, request, response, _next) => {
    const error = expectedFailure(thrown);
    if (error === undefined) log.error({ id: request.id, err: thrown }, 'unexpected failure');
    else if (error.cause) log.error({ id: request.id, err: error.cause }, error.message);
    if (response.headersSent) return void response.destroy();

    const shown =
      error ?? new ChatError('internal', 500, 'Something went wrong here. Try again in a moment.');
    if (shown.retryAfter !== undefined) response.setHeader('Retry-After', shown.retryAfter);
    try {
      await answer(views, request, response, shown);
    } catch (second) {
      log.error({ id: request.id, err: second }, 'the failure page failed');
      response.status(500).type('text').send('Something went wrong here. Try again in a moment.');
    }
  };
}

async function answer(views: Views, request: Request, response: Response, error: ChatError): Promise<void> {
  if (!request.accepts('html') && request.accepts('json')) {
    response
      .status(error.status)
      .json({ error: { code: error.code, detail: error.message, field: error.field } });
    return;
  }
  if (wantsFragment(request)) {
    response.setHeader('Hearth-Error', error.code);
    return sendHtml(response, views.render('http/_failure.njk', { sentence: error.message }), error.status);
  }
  const retry: Retry | undefined = response.locals.retry;
  const again = retry && error.status !== 500 ? await pageAgain(retry, error) : undefined;
  if (again) return sendHtml(response, again, error.status);
  if (error.status === 401 && request.method === 'GET') {
    const path = ownPath(request.originalUrl);
    return seeOther(response, path === '/' ? '/login' : `/login?next=${encodeURIComponent(path)}`);
  }
  const typed = error.status >= 500 ? typedText(request) : '';
  const shown = { error, requestId: request.id, typed };
  sendHtml(response, views.page(request, 'http/failure.njk', shown), error.status);
}

/** The text of a form that could not be taken, so that it can be copied. */
function typedText({ body }: Request): string {
  const content: unknown = typeof body === 'object' && body !== null ? body.content : undefined;
  return typeof content === 'string' ? content : '';
}

/** The page of the form; undefined where it is not for this visitor, either. */
async function pageAgain(retry: Retry, error: ChatError): Promise<Html | undefined> {
  try {
    return await retry(error);
  } catch (second) {
    if (second instanceof ChatError) return undefined;
    throw second;
  }
}

/** Maps a ChatError, a full disk or a malformed URL to a ChatError; undefined for an unexpected error. */
export function expectedFailure(thrown: unknown): ChatError | undefined {
  if (thrown instanceof ChatError) return thrown;
  return diskFull(thrown) ?? (thrown instanceof URIError ? unreadable() : refusedByExpress(thrown));
}

/** What Express refuses while it sends a file, such as a part that there is not. */
function refusedByExpress(thrown: unknown): ChatError | undefined {
  const status = thrown instanceof Error && 'status' in thrown ? Number(thrown.status) : 0;
  if (status === 404) return notFound();
  return status >= 400 && status < 500
    ? new ChatError('unreadable', status, 'This request cannot be answered as it was asked.')
    : undefined;
}
