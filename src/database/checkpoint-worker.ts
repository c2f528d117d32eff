import type Sqlite from 'better-sqlite3';
import { BetterSqlite } from './driver/better-sqlite3.ts';

/** With fewer frames left than this, the final checkpoint on the writing connection takes a millisecond or two. */
const FEW_FRAMES = 200;
const MAX_ROUNDS = 5;

let connection: Sqlite.Database | undefined;

/** Runs in a worker thread of its own; one thread serves one file. */
export default function checkpoint(file: string): void {
  connection ??= new BetterSqlite(file, { timeout: 1_000 });
  const passive = connection.prepare<[], { log: number; checkpointed: number }>(
    'PRAGMA wal_checkpoint(PASSIVE)',
  );
  // Each round copies what was written during the one before, which is less every time.
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const { log, checkpointed } = passive.get() ?? { log: 0, checkpointed: 0 };
    if (log - checkpointed < FEW_FRAMES) break;
  }
}
