/**
 * An expected failure: what a person did cannot be done, and the sentence says what to do instead.
 * Thrown where it is known, answered in two places only: `http/failures.ts` and `live/socket.ts`.
 */
export class ChatError extends Error {
  override readonly name = 'ChatError';

  /**
   * @param code a stable word for programs, such as `too_long`
   * @param status the HTTP status that says the same
   * @param sentence one sentence a person can act on; it may be shown to anyone who caused it
   * @param field the form field it is about, where there is one
   * @param retryAfter whole seconds after which trying again makes sense, for a 429
   */
  constructor(
    readonly code: string,
    readonly status: number,
    sentence: string,
    readonly field?: string,
    readonly retryAfter?: number,
  ) {
    super(sentence);
  }
}

/** Hearth cannot start; `run.ts` prints the sentence and exits with 2. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** A value that breaks a rule of its field. */
export function invalid(field: string, sentence: string, code = 'invalid'): ChatError {
  return new ChatError(code, 400, sentence, field);
}

/** The request needs somebody who is signed in. */
export function notSignedIn(): ChatError {
  return new ChatError('not_signed_in', 401, 'Sign in first, then try again.');
}

/** The thing is there but not for this account. */
export function forbidden(sentence: string): ChatError {
  return new ChatError('forbidden', 403, sentence);
}

/** There is no such thing. */
export function notFound(sentence = 'There is nothing at this address.'): ChatError {
  return new ChatError('not_found', 404, sentence);
}

/** A rate was exceeded; `seconds` is the time until another try can succeed. */
export function tooMany(what: string, seconds: number, code = 'too_many'): ChatError {
  const wait = Math.max(1, Math.ceil(seconds));
  const when = wait < 60 ? count(wait, 'second') : count(Math.ceil(wait / 60), 'minute');
  return new ChatError(code, 429, `${what} Try again in ${when}.`, undefined, wait);
}

/** What this needs does not answer. @param cause what it was, for the log */
export function unavailable(sentence: string, cause?: unknown): ChatError {
  const error = new ChatError('unavailable', 503, sentence, undefined, 2);
  error.cause = cause;
  return error;
}

/** A request whose body cannot be read. */
export function unreadable(): ChatError {
  return new ChatError('bad_request', 400, 'This request could not be read. Go back, then try again.');
}

/** A request whose body is larger than its form can be. */
export function tooLargeForm(): ChatError {
  return new ChatError(
    'too_large',
    413,
    'That is more than is taken at once. Shorten it, then send it again.',
  );
}

/** A full disk as a sentence, whether the system or the database says it; undefined for any other failure. */
export function diskFull(thrown: unknown): ChatError | undefined {
  const code = typeof thrown === 'object' && thrown !== null && 'code' in thrown ? thrown.code : undefined;
  if (code !== 'ENOSPC' && code !== 'EDQUOT' && code !== 'SQLITE_FULL') return undefined;
  return new ChatError('no_room', 507, 'The disk of this Hearth is full. Tell the person who runs it.');
}

const FILE_FAILURES: Readonly<Record<string, string>> = {
  ENOSPC: 'its disk is full',
  EDQUOT: 'no more fits into the quota of its disk',
  SQLITE_FULL: 'its disk is full',
  EROFS: 'its disk can only be read',
  EIO: 'its disk fails',
  SQLITE_IOERR: 'its disk is full, or fails',
  SQLITE_READONLY: 'this user may only read it, or its folder',
  SQLITE_CANTOPEN: 'it is not there, or this user may not use its folder',
  EACCES: 'this user may not use it',
  EPERM: 'this user may not use it',
  ENOTDIR: 'a part of its path is a file',
  EISDIR: 'it is a folder',
};

/** What the system says of a file, as a sentence for who runs Hearth; undefined for any other failure. */
export function fileFailure(thrown: unknown): StartError | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined;
  const reason = FILE_FAILURES[String(thrown.code).replace(/^(SQLITE_(?:IOERR|READONLY|CANTOPEN)).*/, '$1')];
  if (reason === undefined) return undefined;
  const [file] = ['dest' in thrown && thrown.dest, 'path' in thrown && thrown.path].filter(Boolean);
  const what = String(thrown.code).startsWith('SQLITE') ? 'A database' : 'A file';
  return new StartError(`${file ?? what} cannot be read or written: ${reason}.`);
}

function count(n: number, unit: string): string {
  return `${n} ${unit}${n === 1 ? '' : 's'}`;
}
