import type { Readable } from 'node:stream';
import { GONE_NAME } from '../accounts/account.ts';
import type { AccountStore } from '../accounts/store.ts';
import type { BlobStore } from '../files/blob-store.ts';
import type { FileStore } from '../files/store.ts';
import { asHtml, type Views } from '../http/views.ts';
import type { Message } from '../messages/message.ts';
import type { TextRenderer } from '../messages/render.ts';
import type { MessageStore } from '../messages/store.ts';
import { timeOf } from '../messages/times.ts';
import { entryOf } from './archive.ts';
import { addFiles, type Sent, zipOf } from './zip.ts';

const OPENED_AT_ONCE = 200;
const NO_MENTIONS = new Map();

/** What a Hearth writes, so that another one can bring it in. */
export const ARCHIVE_FORMAT = { type: 'archive', format: 'hearth', version: 1 } as const;

export type GroupArchiveDependencies = {
  views: Views;
  texts: TextRenderer;
  accounts: AccountStore;
  messages: MessageStore;
  files: FileStore;
  blobs: BlobStore;
};

/** What is in an archive: how many messages, and the entries of files whose bytes are gone or damaged. */
export type Written = Readonly<{ messages: number; lost: readonly string[] }>;

/** A group as it is called in the archive. */
export type ArchivedGroup = Readonly<{ id: number; name: string; lastSeq: number }>;

/**
 * A ZIP of all that is written in groups: pages that open in a browser without a server, the same as JSON Lines for
 * programs and other Hearths, and the files.
 * @param onDone is told once all of it is written
 */
export function createGroupArchive(
  dependencies: GroupArchiveDependencies,
  groups: readonly ArchivedGroup[],
  onDone: (written: Written) => void = () => {},
  now = new Date(),
): Readable {
  return zipOf(async (zip) => {
    const title = groups.length === 1 ? (groups[0]?.name ?? '') : 'Hearth';
    const at = timeOf(now.getTime());
    const index = dependencies.views.render('exports/groups.njk', { title, groups, at });
    zip.addBuffer('index.html', Buffer.from(index));
    for (const group of groups) await zip.add(`groups/${group.id}.html`, pageOf(dependencies, group));
    const sent: Sent[] = [];
    let messages = 0;
    const count = () => {
      messages += 1;
    };
    await zip.add('messages.jsonl', linesOf(dependencies, groups, { sent, count, now }));
    const lost = await addFiles(zip, sent, dependencies);
    onDone({ messages, lost });
  });
}

async function* batchesOf(
  { messages }: GroupArchiveDependencies,
  { id, lastSeq }: ArchivedGroup,
): AsyncGenerator<Message[]> {
  for (let first = 1; first <= lastSeq; first += OPENED_AT_ONCE) {
    const batch = await messages.between(id, first, Math.min(lastSeq, first + OPENED_AT_ONCE - 1));
    yield batch.filter(({ removedAt }) => removedAt === null);
    await new Promise(setImmediate);
  }
}

async function* pageOf(dependencies: GroupArchiveDependencies, group: ArchivedGroup): AsyncGenerator<string> {
  const { views, texts, accounts } = dependencies;
  yield views.render('exports/_head.njk', { title: group.name });
  for await (const batch of batchesOf(dependencies, group)) {
    const rows = batch.map(async (message) => ({
      time: timeOf(message.createdAt),
      author: (await accounts.byId(message.authorId))?.name ?? GONE_NAME,
      isEdited: message.editedAt !== null,
      body: asHtml((await texts.render(message.content, NO_MENTIONS)).html),
      files: message.files.map((file) => ({
        name: file.name,
        // The page is in a folder of its own.
        address: `../${entryOf(group.id, message.seq, file).split('/').map(encodeURIComponent).join('/')}`,
        isPicture: file.type.startsWith('image/'),
      })),
    }));
    yield views.render('exports/_messages.njk', { rows: await Promise.all(rows) });
  }
  yield '</ol>\n</main>\n</body>\n</html>\n';
}

/** One JSON value a line: what it is, the groups, then each message, with its author before their first one. */
async function* linesOf(
  dependencies: GroupArchiveDependencies,
  groups: readonly ArchivedGroup[],
  { sent, count, now }: { sent: Sent[]; count(): void; now: Date },
): AsyncGenerator<string> {
  yield line({ ...ARCHIVE_FORMAT, createdAt: now.toISOString() });
  for (const { id, name } of groups) yield line({ type: 'group', id, name });
  const named = new Set<number>();
  for (const group of groups)
    for await (const batch of batchesOf(dependencies, group))
      for (const message of batch) {
        if (!named.has(message.authorId)) {
          named.add(message.authorId);
          const account = await dependencies.accounts.byId(message.authorId);
          const { username = '', name = GONE_NAME } = account ?? {};
          yield line({ type: 'person', id: message.authorId, username, name });
        }
        for (const file of message.files)
          sent.push({ entry: entryOf(group.id, message.seq, file), id: file.id });
        count();
        yield line(asJson(message));
      }
}

function asJson({
  groupId,
  seq,
  id,
  authorId,
  content,
  createdAt,
  editedAt,
  replyTo,
  thread,
  ...rest
}: Message) {
  return {
    ...{ type: 'message', groupId, seq, id, authorId, content, replyTo, thread },
    createdAt: new Date(createdAt).toISOString(),
    editedAt: editedAt === null ? null : new Date(editedAt).toISOString(),
    reactions: rest.reactions,
    files: rest.files.map((file) => ({
      name: file.name,
      size: file.size,
      path: entryOf(groupId, seq, file),
    })),
  };
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
