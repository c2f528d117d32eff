import cors from 'cors';
import type { RequestHandler } from 'express';

/**
 * Answers pages of these origins (Fetch, 3.3), and no others. For routes that take no cookie, so that such a page can do
 * no more than the token that it has.
 */
export function allowOrigins(origins: readonly string[]): RequestHandler {
  if (origins.length === 0) return (_request, _response, next) => next();
  return cors({ origin: [...origins], exposedHeaders: ['ETag', 'Retry-After'], maxAge: 600 });
}
