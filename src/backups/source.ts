import type { Manifest } from './manifest.ts';

export type Copied = {
  rows: Manifest['rows'];
  /** Files in the folder of the backup. */
  files: string[];
  /** Of the files that people sent. */
  blobIds: string[];
};

/** What is backed up. */
export type Source = {
  /**
   * Copies the databases of one moment into a folder, and opens the copies: each account, and the newest message of
   * each group.
   * @throws StartError for a copy that is not whole, or does not open with the keys
   */
  copy(folder: string): Promise<Copied>;
  /** The ids of the files that there are by now. @param folder for temporary files */
  blobIds(folder: string): Promise<string[]>;
};
