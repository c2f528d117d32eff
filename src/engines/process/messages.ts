/** What a process of jobs is told: the number of the job, and its work. */
export type Order = { job: number; work: unknown };

/** What it answers. */
export type Report =
  | { job: number; progress: number }
  | { job: number; result: unknown }
  | { job: number; failed: string };
