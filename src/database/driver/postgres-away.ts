import { unavailable } from '../../errors.ts';

/** Errors of the network, and those of PostgreSQL when it stops, starts or has no connection left. */
const AWAY_CODE = /^(?:ECONN|EPIPE|ETIMEDOUT|EHOST|ENOTFOUND|EAI_AGAIN|57P0[1-3]|08|53300)/;
/** What `pg` says without a code. */
const AWAY_MESSAGE =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout)/;

/** Whether PostgreSQL was away, so that what was sent may or may not have been done. */
export function isAway(error: unknown): boolean {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  return AWAY_CODE.test(code) || AWAY_MESSAGE.test(message);
}

/** @throws ChatError 503 where PostgreSQL is away, starts or stops; else what it was */
export function rethrow(error: unknown): never {
  if (!isAway(error)) throw error;
  throw unavailable('The database does not answer. Try again in a moment.', error);
}
