import type { Account } from '../accounts/store.ts';
import { deterministicUuid } from '../crypto/deterministic-uuid.ts';
import { ChatError } from '../errors.ts';
import type { BlobStore } from '../files/blob-store.ts';
import { type Attachment, asAttachment, MAX_FILES } from '../files/file.ts';
import type { Receiver } from '../files/receive.ts';
import type { FileStore } from '../files/store.ts';
import { type OpenGroup, openGroup } from '../groups/access.ts';
import type { Group } from '../groups/group.ts';
import type { GroupStore } from '../groups/store.ts';
import type { ArchiveFile } from './archive-file.ts';
import type { ImportedMessage } from './source.ts';

/** By the ending of a name: an archive says nothing else. What is a picture is seen by its bytes. */
const TYPES = new Map(
  Object.entries({
    ...{ jpg: 'image/jpeg', jpeg: 'image/jpeg', png: 'image/png', webp: 'image/webp', gif: 'image/gif' },
    ...{ mp4: 'video/mp4', mov: 'video/quicktime', webm: 'video/webm', '3gp': 'video/3gpp' },
    ...{ mp3: 'audio/mpeg', m4a: 'audio/mp4', ogg: 'audio/ogg', opus: 'audio/ogg', aac: 'audio/aac' },
  }),
);

/** A file that is forwarded is in an archive once. More uses than this are counted as lost: each is stored. */
const MAX_USES = 10;

/** Where a file goes: the id of its message, its group, and whose it is. */
type For = Readonly<{ id: string; group: Group; account: Account }>;

export type FileTaker = ReturnType<typeof createFileTaker>;

/** Takes the files of an archive in, as uploads of those who sent them. */
export function createFileTaker({
  groups,
  files,
  blobs,
  receiver,
}: {
  groups: GroupStore;
  files: FileStore;
  blobs: BlobStore;
  receiver: Receiver;
}) {
  /** @returns the attachment; undefined for a file that cannot be taken, such as one that is too large */
  async function takeOne(archive: ArchiveFile, open: OpenGroup, id: string, name: string, entry: string) {
    const existing = await files.byId(id);
    if (existing) return existing;
    const type = TYPES.get(name.split('.').at(-1)?.toLowerCase() ?? '') ?? 'application/octet-stream';
    // What a killed process left of it is in the way.
    await blobs.remove(id);
    try {
      const stream = await archive.open(entry);
      return await receiver.receive(open, id, { name, type, stream, keepsMetadata: true });
    } catch (error) {
      if (error instanceof ChatError && error.status !== 507) return undefined;
      throw error;
    }
  }

  const uses = new WeakMap<ArchiveFile, Map<string, number>>();

  function countUse(archive: ArchiveFile, entry: string): number {
    const ofArchive = uses.get(archive) ?? new Map<string, number>();
    uses.set(archive, ofArchive.set(entry, (ofArchive.get(entry) ?? 0) + 1));
    return ofArchive.get(entry) ?? 0;
  }

  return {
    async take(
      archive: ArchiveFile,
      { id, group, account }: For,
      message: ImportedMessage,
    ): Promise<{ attachments: Attachment[]; lost: number }> {
      if (message.files.length === 0) return { attachments: [], lost: 0 };
      if (!(await groups.membership(account.id, group.id)))
        return { attachments: [], lost: message.files.length };
      const open = await openGroup(groups, account, group.id);
      const attachments: Attachment[] = [];
      for (const [index, { name, entry }] of message.files.slice(0, MAX_FILES).entries()) {
        if (entry === undefined || countUse(archive, entry) > MAX_USES) continue;
        const file = await takeOne(archive, open, deterministicUuid(`file ${id} ${index}`), name, entry);
        if (file) attachments.push(asAttachment(file));
      }
      return { attachments, lost: message.files.length - attachments.length };
    },
  };
}
