import { createHash } from 'node:crypto';
import bcrypt from 'bcryptjs';

export type PasswordJob =
  | { kind: 'hash'; password: string; cost: number }
  | { kind: 'compare'; password: string; hash: string };

/** Runs in a worker thread; the synchronous calls are faster there and hold up nobody. */
export default function work(job: PasswordJob): string | boolean {
  const digest = createHash('sha256').update(job.password).digest('base64');
  return job.kind === 'hash' ? bcrypt.hashSync(digest, job.cost) : bcrypt.compareSync(digest, job.hash);
}
