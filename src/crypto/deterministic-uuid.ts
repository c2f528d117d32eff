import { createHash } from 'node:crypto';

/** A UUID that is the same each time for a text, so that what is done twice is found again (RFC 9562, 5.8). */
export function deterministicUuid(text: string): string {
  const hash = createHash('sha256').update(text).digest('hex');
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}
