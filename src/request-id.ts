import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';

/** Since this version following costs nothing; before, it takes a tenth of what a process sends. */
const FREE_SINCE_NODE = 24;

const start = randomBytes(3).toString('hex');
let count = 0;
let isFollowed = false;
const storage = new AsyncLocalStorage<string>();

/** Names a request, or a command of a socket, in the log. */
export function newRequestId(): string {
  return `${start}-${(++count).toString(36)}`;
}

/** From now on, the log lines of all that a request causes have its id, in every process. @param level of the log */
export function followRequests(level: string): void {
  const [major = 0] = process.versions.node.split('.').map(Number);
  isFollowed = major >= FREE_SINCE_NODE || level === 'debug' || level === 'trace';
}

/** The request on whose behalf this runs; undefined for what nobody asked for, such as a sweep. */
export function currentRequestId(): string | undefined {
  return isFollowed ? storage.getStore() : undefined;
}

/** Runs work, and what it begins, on behalf of a request; undefined is on nobody's behalf. */
export function withRequestId<Result>(id: string | undefined, work: () => Result): Result {
  if (!isFollowed) return work();
  return id === undefined ? storage.exit(work) : storage.run(id, work);
}

/** For what serves many, and was begun by one of them. */
export function onNobodysBehalf<Result>(work: () => Result): Result {
  return withRequestId(undefined, work);
}

/** For `pino`: each line has the request on whose behalf it is written. */
export function requestOfLine(): { id?: string } {
  const id = currentRequestId();
  return id === undefined ? {} : { id };
}
