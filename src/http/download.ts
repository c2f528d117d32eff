import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';

/**
 * Sends bytes. A client that disconnects meanwhile is no error.
 * @throws what the first of them cannot be read for, before anything is sent
 */
export async function sendStream(response: Response, bytes: NodeJS.ReadableStream): Promise<void> {
  await once(bytes, 'readable');
  try {
    await pipeline(bytes, response);
  } catch (error) {
    if (!response.destroyed || (error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE')
      throw error;
  }
}

/** The name in a form that old and new readers take (RFC 6266, RFC 8187). */
export function disposition(isInline: boolean, name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${isInline ? 'inline' : 'attachment'}; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
