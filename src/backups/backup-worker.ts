import { StartError } from '../errors.ts';
import { type BackupSettings, runBackup } from './run.ts';

/** Runs in a worker thread: reading and checking the copies would hold up whoever chats. */
export default async function backUpInThread(
  settings: BackupSettings,
): Promise<{ done: string } | { failure: string }> {
  try {
    return { done: await runBackup(settings) };
  } catch (error) {
    // A class does not cross threads.
    if (error instanceof StartError) return { failure: error.message };
    throw error;
  }
}
