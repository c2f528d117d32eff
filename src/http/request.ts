import type { Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { z } from 'zod';
import { invalid, notFound } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import { newRequestId, withRequestId } from '../request-id.ts';

declare global {
  namespace Express {
    interface Request {
      /** Names this request in the log and on the page of an unexpected failure. */
      id: string;
    }
  }
}

/** What lets in whoever knows it, wherever it is in a path. */
const SECRET_IN_PATH = /(\/(?:join|hooks|new-password|this-device|confirm-email|deleted)\/+)[^/]+/gi;
/** So long is only a secret, at whatever address it was tried. A file's id is shorter. */
const LONG_PART = /[^/]{40,}/g;

/** Gives each request an id and writes one line when its answer is done: never a query, a body, a cookie or a link's secret. */
export function logRequests(log: Logger, metrics: Pick<Metrics, 'request'>): RequestHandler {
  return (request, response, next) => {
    request.id = newRequestId();
    const started = performance.now();
    const { method } = request;
    const path = request.path.replace(SECRET_IN_PATH, '$1…').replace(LONG_PART, '…');
    response.once('close', () => {
      const ms = Math.round((performance.now() - started) * 10) / 10;
      metrics.request(method, response.statusCode, ms);
      log.info({ id: request.id, method, path, status: response.statusCode, ms });
    });
    withRequestId(request.id, next);
  };
}

const wholeNumber = z
  .string()
  .regex(/^\d{1,16}$/)
  .transform(Number)
  .refine(Number.isSafeInteger);

/** The positive number in the path, such as a group's id. @throws ChatError 404 for anything else */
export function numberInPath(request: Request, name: string): number {
  const parsed = wholeNumber.safeParse(request.params[name]);
  if (!parsed.success || parsed.data === 0) throw notFound();
  return parsed.data;
}

/** A number in the query, or undefined where it is absent. @throws ChatError 400 when it is not a number */
export function numberInQuery(request: Request, name: string): number | undefined {
  const value = request.query[name];
  if (value === undefined) return undefined;
  const parsed = wholeNumber.safeParse(value);
  if (!parsed.success) throw invalid(name, `"${name}" takes a whole number.`);
  return parsed.data;
}

/** The number in a field of a form that is shown again; undefined for anything else, since why it was refused is said already. */
export function numberInField(request: Request, name: string): number | undefined {
  const parsed = wholeNumber.safeParse(request.body?.[name]);
  return parsed.success ? parsed.data : undefined;
}

/** A path of ours that a visitor may be sent on to; anything else is the front page. */
export function ownPath(value: unknown): string {
  const isOwn = typeof value === 'string' && value.length <= 300 && /^\/(?![/\\])[\w\-./?=&%#]*$/.test(value);
  return isOwn ? value : '/';
}

/** Whether scripts run in this browser: our script sets a cookie on the first page. */
export function isScripted({ headers }: Pick<Request, 'headers'>): boolean {
  return /(?:^|;\s*)hearth-script=on(?:;|$)/.test(headers.cookie ?? '');
}

/** The reader's time zone, as a script of theirs has said it; the server's where none has. */
export function zoneOf({ headers }: Pick<Request, 'headers'>): string {
  const [, written = ''] = /(?:^|;\s*)hearth-zone=([\w%+-]{1,90})(?:;|$)/.exec(headers.cookie ?? '') ?? [];
  const zone = written.replaceAll('%2F', '/');
  return isZone(zone) ? zone : Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Whether this machine knows a time zone of that name. */
export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return zone !== '';
  } catch {
    return false;
  }
}

/** Whether the client takes a compression. */
export function acceptsEncoding({ headers }: Pick<Request, 'headers'>, name: 'br' | 'gzip'): boolean {
  const entry = String(headers['accept-encoding'] ?? '')
    .split(',')
    .find((part) => part.trim().split(';')[0] === name);
  return entry !== undefined && !/;\s*q=0(?:\.0*)?\s*$/.test(entry);
}

/** Whether the browser asks for a fragment to swap in, not for a page. */
export function wantsFragment(request: Request): boolean {
  return request.get('hx-request') === 'true';
}

/** Answers a form with a redirect (303) to `path`. Never pass user input as the path. */
export function seeOther(response: Response, path: string): void {
  response.statusCode = 303;
  response.setHeader('Location', path);
  response.setHeader('Content-Length', 0);
  response.end();
}

/** Whether a text has anything to see: not white space, control or format characters, or a blank that counts as a letter. */
export function hasVisible(text: string): boolean {
  return /[^\s\p{C}\u115f\u1160\u3164\uffa0]/u.test(text);
}
