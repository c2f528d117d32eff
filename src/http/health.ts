import type { RequestHandler } from 'express';

/** `GET /healthz`: 200 where everything can be written right now, 503 where it cannot. */
export function answerHealth(canWrite: () => Promise<boolean>): RequestHandler {
  return async (_request, response) => {
    const ok = await canWrite();
    response
      .status(ok ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .json({ status: ok ? 'ok' : 'unavailable' });
  };
}
