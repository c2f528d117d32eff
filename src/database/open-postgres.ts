import { type Listeners, openPostgres } from './driver/postgres.ts';
import { joinProcesses } from './driver/postgres-processes.ts';
import { migratePostgres } from './migrate-postgres.ts';

/** Opens both schemas of a PostgreSQL database. Apart, so that only who uses one loads its driver. */
export async function openBothInPostgres(url: string, dataDir: string, listeners: Listeners) {
  await migratePostgres(url, dataDir);
  return {
    users: openPostgres(url, 'users', listeners),
    chat: openPostgres(url, 'chat', listeners),
    processes: await joinProcesses(url, listeners.report),
  };
}
