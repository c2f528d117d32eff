import type { Logger } from 'pino';
import { eventType, type Publish, type Subscribe } from './bus/bus.ts';

/** Something that takes long is to be done, by a process that does such work. */
const jobsDue = eventType<{ kind: string }>('jobs.due');

/** What comes within this time is told, and looked for, together. */
const TOGETHER_MS = 100;

/** What takes long, such as recordings, imports, archives and deletions: done by this process, or left to others. */
export type Jobs = Readonly<{
  /** Whether this process does them. */
  areHere: boolean;
  /** Tells the processes that do such work. @param kind such as `imports` */
  tell(kind: string): void;
  /** Registers what looks for work of a kind, of which another process tells; where none is done, it is never called. */
  onDue(kind: string, look: () => unknown): void;
  stop(): void;
}>;

export function createJobs(
  areHere: boolean,
  { publish, subscribe }: { publish: Publish; subscribe: Subscribe },
  log: Pick<Logger, 'debug'>,
): Jobs {
  const timers = new Map<string, NodeJS.Timeout>();
  const together = (kind: string, act: () => unknown) => {
    if (timers.has(kind)) return;
    const timer = setTimeout(() => {
      timers.delete(kind);
      act();
    }, TOGETHER_MS);
    timers.set(kind, timer.unref());
  };
  return {
    areHere,
    tell: (kind) => together(kind, () => publish(jobsDue, { kind })),
    onDue(kind, look) {
      if (!areHere) return;
      const tellAndLook = () => {
        log.debug({ kind }, 'there is work to do');
        look();
      };
      subscribe(jobsDue, (due) => due.kind === kind && together(kind, tellAndLook));
    },
    stop() {
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}
