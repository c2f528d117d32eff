import type { StoredFile } from '../files/file.ts';
import type { Manifest } from './manifest.ts';

/** A file that somebody sent, or an archive that waits to be brought in. */
export type Blob = {
  id: string;
  /** What it opens with; undefined for an archive. */
  sealed: Pick<StoredFile, 'key' | 'size' | 'thumbnailSize'> | undefined;
  /** What it belongs to, in words; undefined for a file that was not sent yet. */
  owner: string | undefined;
};

export type Copied = {
  rows: Manifest['rows'];
  /** Files in the folder of the backup. */
  files: string[];
  blobs: Blob[];
};

/** What is backed up. */
export type Source = {
  /**
   * Copies the databases of one moment into a folder, and opens the copies: each account, and the newest message of
   * each group.
   * @throws StartError for a copy that is not whole, or does not open with the keys
   */
  copy(folder: string): Promise<Copied>;
  /** Those that there are by now. @param folder for temporary files */
  blobs(folder: string): Promise<Blob[]>;
};
