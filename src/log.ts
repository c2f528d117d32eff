import pino, { type Logger } from 'pino';
import { requestOfLine } from './request-id.ts';

/** Lines that wait for room beyond this are dropped. */
const MAX_WAITING_BYTES = 1024 ** 2;

/** Writes the log to stderr. Where that is a file on a full disk, lines are dropped until there is room again. */
export function openLog(level: string): { log: Logger; flush(): void } {
  const stderr = pino.destination({ fd: 2, sync: false, maxLength: MAX_WAITING_BYTES });
  let isFull = false;
  stderr.on('error', () => {
    isFull = true;
  });
  stderr.on('write', () => {
    isFull = false;
  });
  // It would try again for ever. pino calls it, too, when the process exits.
  const flushSync = stderr.flushSync.bind(stderr);
  stderr.flushSync = () => {
    if (!isFull) flushSync();
  };
  return { log: pino({ level, base: null, mixin: requestOfLine }, stderr), flush: () => stderr.flushSync() };
}
