import { createHash } from 'node:crypto';

/** A UUID for what was in an archive, so that a second import finds it again (RFC 9562, 5.8). */
export function uuidOf(text: string): string {
  const hash = createHash('sha256').update(text).digest('hex');
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}
