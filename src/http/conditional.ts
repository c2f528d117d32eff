import { createHash } from 'node:crypto';
import type { Request } from 'express';

/** An ETag of the bytes of an answer (RFC 9110, 8.8.3), so that what has not changed is not sent again. */
export function etagOf(body: string | Buffer): string {
  return `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`;
}

/**
 * Whether the client has what an ETag names (RFC 9110, 13.1.2). Not `request.fresh`, which is false where the request
 * has `Cache-Control: no-cache`: that is for caches on the way, and `fetch` of Node.js sends it with each ETag.
 */
export function hasCurrent(request: Request, etag: string): boolean {
  const known = request.get('if-none-match')?.split(',') ?? [];
  return known.some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}
