import { fileFailure, StartError } from '../errors.ts';
import { type BackupSettings, runBackup, type Trouble } from './run.ts';

/** Runs in a worker thread: reading and checking the copies would hold up whoever chats. */
export default async function backUpInThread(settings: BackupSettings): Promise<Trouble | undefined> {
  try {
    const { lacks } = await runBackup(settings);
    return lacks === undefined ? undefined : { kind: 'incomplete', why: lacks };
  } catch (error) {
    // A class does not cross threads.
    const failure = error instanceof StartError ? error : fileFailure(error);
    if (failure) return { kind: 'failed', why: failure.message };
    throw error;
  }
}
