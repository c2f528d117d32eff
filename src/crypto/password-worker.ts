import { createHash } from 'node:crypto';
import bcrypt from 'bcryptjs';

export type PasswordJob =
  | { kind: 'hash'; password: string; cost: number }
  | { kind: 'compare'; password: string; hash: string }
  | { kind: 'common'; password: string };

let common: Promise<ReadonlySet<string>> | undefined;

/** Runs in a worker thread, where the synchronous calls are faster and do not block the event loop of the server. */
export default async function work(job: PasswordJob): Promise<string | boolean> {
  if (job.kind === 'common') {
    common ??= loadCommon();
    return (await common).has(job.password.toLowerCase());
  }
  const digest = createHash('sha256').update(job.password).digest('base64');
  return job.kind === 'hash' ? bcrypt.hashSync(digest, job.cost) : bcrypt.compareSync(digest, job.hash);
}

/** Several megabytes, loaded only when a password is chosen. */
async function loadCommon(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common');
  return new Set(dictionary['passwords-common'].map(String));
}
