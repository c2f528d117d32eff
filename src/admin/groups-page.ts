import type { Request } from 'express';
import { requireAdmin } from '../accounts/access.ts';
import type { ChatError } from '../errors.ts';
import { inWords } from '../files/file.ts';
import type { FileStore } from '../files/store.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import type { GroupStore } from '../groups/store.ts';
import type { Html } from '../http/views.ts';

/** Every group, with how many are in it and what it stores, the largest first; not what is written in it. */
export async function groupsPage(
  { groups, files, page }: { groups: GroupStore; files: FileStore; page: SidebarPage },
  request: Request,
  refused?: { groupId: number; error: ChatError },
): Promise<Html> {
  requireAdmin(request);
  const bytes = await files.bytesByGroup();
  const rows = await Promise.all(
    (await groups.all()).map(async (group) => ({
      group,
      messages: group.lastSeq - group.purgedSeq,
      members: await groups.countMembers(group.id),
      bytes: bytes.get(group.id) ?? 0,
    })),
  );
  return page(request, 'admin/groups.njk', {
    rows: rows
      .sort((a, b) => b.bytes - a.bytes || b.messages - a.messages || a.group.id - b.group.id)
      .map((row) => ({ ...row, stored: inWords(row.bytes) })),
    isDeleted: request.query.deleted !== undefined,
    refusedId: refused?.groupId ?? 0,
    error: refused?.error ?? null,
  });
}
