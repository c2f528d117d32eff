import { type Response, Router } from 'express';
import { accountOf } from '../accounts/access.ts';
import type { Account } from '../accounts/store.ts';
import type { AuditStore } from '../audit/store.ts';
import { openGroup } from '../groups/access.ts';
import { noteAdmin } from '../groups/note-admin.ts';
import { refuseSettings } from '../groups/policies.ts';
import type { GroupStore } from '../groups/store.ts';
import { disposition, sendStream } from '../http/download.ts';
import { numberInPath } from '../http/request.ts';
import type { Limits } from '../limits.ts';
import { createGroupArchive, type GroupArchiveDependencies } from './group-archive.ts';

const ARCHIVES = {
  name: 'group archives',
  points: 20,
  seconds: 3_600,
  sentence: 'You have downloaded many archives just now.',
};

export type ServeGroupArchive = ReturnType<typeof createServeGroupArchive>;

/** Answers with the archive of a group, for its owners: made while it is downloaded. */
export function createServeGroupArchive(
  dependencies: GroupArchiveDependencies & { groups: GroupStore; audit: AuditStore; limits: Limits },
) {
  const archives = dependencies.limits.of(ARCHIVES);
  return async (account: Account, groupId: number, response: Response): Promise<void> => {
    const open = await openGroup(dependencies.groups, account, groupId);
    const refusal = refuseSettings(open);
    if (refusal) throw refusal;
    await archives.consume(String(account.id));
    await noteAdmin(dependencies, open, 'download-archive');
    response.set({
      'Content-Type': 'application/zip',
      'Content-Disposition': disposition(false, `${open.group.name}.zip`),
      'Cache-Control': 'no-store',
    });
    await sendStream(response, createGroupArchive(dependencies, [open.group]));
  };
}

export function groupArchiveRoutes(serveGroupArchive: ServeGroupArchive): Router {
  return Router().get('/groups/:id/archive', async (request, response) => {
    await serveGroupArchive(accountOf(request), numberInPath(request, 'id'), response);
  });
}
