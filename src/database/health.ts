import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

/** A database that takes longer does not answer. */
const ANSWER_MS = 2_000;
/** One health check serves all requests within this time. */
const CACHED_FOR_MS = 1_000;
/**
 * Overwriting an existing log needs no new space, so a full disk shows only when the probe file needs more than that.
 */
const PROBE_BYTES = 256 * 1024;

/**
 * @param writes each commits a write to one database
 * @returns checks whether the data folder and every database accept durable writes
 */
export function createWriteCheck(
  dataDir: string,
  writes: readonly (() => Promise<unknown>)[],
): () => Promise<boolean> {
  let last: { at: number; answer: Promise<boolean> } | undefined;

  async function check(): Promise<boolean> {
    try {
      await writeProbe(join(dataDir, 'probe.tmp'));
      for (const write of writes) await write();
      return true;
    } catch {
      return false;
    }
  }

  return () => {
    const now = Date.now();
    if (!last || now - last.at > CACHED_FOR_MS)
      last = { at: now, answer: Promise.race([check(), setTimeout(ANSWER_MS, false, { ref: false })]) };
    return last.answer;
  };
}

async function writeProbe(file: string): Promise<void> {
  try {
    const probe = await open(file, 'w', 0o600);
    try {
      await probe.write(Buffer.alloc(PROBE_BYTES));
      await probe.sync();
    } finally {
      await probe.close();
    }
  } finally {
    await rm(file, { force: true });
  }
}
