import { eventType, type Publish } from './bus/bus.ts';
import type { Databases } from './database/open.ts';

/** Something that takes long is to be done, by a process that does such work. */
export const jobsDue = eventType<Record<string, never>>('jobs.due');

/** Registers what looks for work; a process that does none never calls it. */
export type OnJobsDue = (look: () => unknown) => void;

/**
 * The databases for a process that serves people only: what takes long is left to others, who are told of it.
 * @param doesJobs whether this process does it itself
 */
export function jobsElsewhere<Kept extends Pick<Databases, 'inTurn'>>(
  databases: Kept,
  doesJobs: boolean,
  publish: Publish,
): Kept {
  if (doesJobs) return databases;
  return {
    ...databases,
    async inTurn() {
      publish(jobsDue, {});
      return undefined;
    },
  };
}
