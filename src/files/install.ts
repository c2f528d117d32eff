import { readdir } from 'node:fs/promises';
import type { AccountStore } from '../accounts/store.ts';
import type { Context } from '../context.ts';
import { StartError } from '../errors.ts';
import type { GroupPresenter } from '../groups/present.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import type { GroupStore } from '../groups/store.ts';
import { bindOperations } from '../operations/define.ts';
import { openBlobs } from './open-blobs.ts';
import { fileOperations } from './operations.ts';
import { Receiver } from './receive.ts';
import { fileRoutes } from './routes.ts';
import type { FileStore } from './store.ts';
import { startSweep } from './sweep.ts';
import { createUploadReader, UPLOAD_RATE } from './upload.ts';

/** File uploads and downloads, and the sweep that deletes unsent files. */
export async function installFiles(
  context: Context & {
    accounts: AccountStore;
    groups: GroupStore;
    groupPresenter: GroupPresenter;
    page: SidebarPage;
    files: FileStore;
  },
) {
  const { config, files, limits, report, atStop } = context;
  await refuseEmptyFolder(config.filesFolder, files);
  const blobs = await openBlobs(config);
  atStop(blobs.close);
  const fileLimits = { file: config.fileLimit, person: config.personLimit, disk: config.diskLimit };
  const receiver = new Receiver({ files, blobs, limits: fileLimits });
  const readUpload = createUploadReader({ receiver, files, blobs, rate: limits.of(UPLOAD_RATE) });
  const operations = bindOperations(fileOperations, { ...context, blobs }, limits);
  const sweeping = context.jobs.areHere ? startSweep({ files, blobs }, report) : undefined;
  atStop(() => sweeping?.stop());
  const routes = fileRoutes({ ...context, blobs, readUpload, operations });
  return { blobs, receiver, readUpload, fileLimits, fileOperations: operations, fileRoutes: routes };
}

/** A disk that is not mounted leaves an empty folder, into which new files would be written. @throws StartError */
async function refuseEmptyFolder(folder: string | undefined, files: FileStore): Promise<void> {
  if (folder === undefined || (await files.following('', 1)).length === 0) return;
  const names = await readdir(folder).catch(() => []);
  if (names.length === 0)
    throw new StartError(
      `There is nothing in ${folder} (FILES_FOLDER), and messages have files: mount its disk, or copy data/media there.`,
    );
}
