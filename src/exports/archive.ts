import type { Readable } from 'node:stream';
import type { SessionListStore } from '../accounts/session-list-store.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { SavedStore } from '../bookmarks/store.ts';
import type { DraftStore } from '../drafts/store.ts';
import type { BlobStore } from '../files/blob-store.ts';
import type { Attachment } from '../files/file.ts';
import type { FileStore } from '../files/store.ts';
import { isListed } from '../groups/policies.ts';
import type { GroupPresenter } from '../groups/present.ts';
import type { GroupStore } from '../groups/store.ts';
import { asHtml, type Views } from '../http/views.ts';
import type { Message } from '../messages/message.ts';
import type { TextRenderer } from '../messages/render.ts';
import type { MessageStore } from '../messages/store.ts';
import { timeOf } from '../messages/times.ts';
import { addFiles, type Sent, zipOf } from './zip.ts';

/** How many messages are looked through, and how many are opened, between two turns of the event loop. */
const LOOKED_THROUGH_AT_ONCE = 2_000;
const OPENED_AT_ONCE = 200;
const MAX_BOOKMARKS = 10_000;
const MAX_NAME_CHARACTERS = 100;
const NO_MENTIONS = new Map();

export type ArchiveDependencies = {
  views: Views;
  texts: TextRenderer;
  accounts: AccountStore;
  groups: GroupStore;
  groupPresenter: GroupPresenter;
  messages: MessageStore;
  files: FileStore;
  blobs: BlobStore;
  drafts: DraftStore;
  saved: SavedStore;
  sessionList: SessionListStore;
};

/** What somebody wrote in one group. */
type Part = Readonly<{ groupId: number; name: string; seqs: readonly number[] }>;

/**
 * A ZIP of what one account has, wrote and sent: pages that open in a browser without a server, the same as JSON, and
 * the files. What others wrote is not in it.
 * @param note is called with how many messages and files are in it so far, of how many
 */
export async function createArchive(
  dependencies: ArchiveDependencies,
  account: Account,
  note: (done: number, total: number) => Promise<void>,
): Promise<Readable> {
  const { views, accounts } = dependencies;
  const parts = await partsOf(dependencies, account);
  const messages = parts.reduce((sum, { seqs }) => sum + seqs.length, 0);
  // Each message is in a page and in the JSON.
  const progress = { done: 0, total: 2 * messages };
  const step = (count: number) => {
    progress.done += count;
    return note(progress.done, progress.total);
  };
  const picture = await accounts.picture(account.id);
  const groups = parts.map(({ groupId, name, seqs }) => ({ groupId, name, count: seqs.length }));
  const record = await recordOf(dependencies, account, groups);
  return zipOf(async (zip) => {
    const index = views.render('exports/index.njk', { account, groups, hasPicture: picture !== undefined });
    zip.addBuffer('index.html', Buffer.from(index));
    if (picture) zip.addBuffer('picture.webp', picture, false);
    zip.addBuffer('account.json', Buffer.from(JSON.stringify(record, null, 2)));
    for (const part of parts) await zip.add(`groups/${part.groupId}.html`, pageOf(dependencies, part, step));
    const sent: Sent[] = [];
    const addSent = (groupId: number, seq: number, file: Attachment) =>
      sent.push({ entry: entryOf(groupId, seq, file), id: file.id });
    await zip.add('messages.json', jsonOf(dependencies, parts, step, addSent));
    progress.total += sent.length;
    // The bar may lag behind; the archive must not fail for it.
    await addFiles(zip, sent, dependencies, () => void step(1).catch(() => {}));
  });
}

/** Every group in which the account wrote something that is not removed. */
async function partsOf(
  { groups, groupPresenter, messages }: ArchiveDependencies,
  account: Account,
): Promise<Part[]> {
  const memberships = await groups.membershipsOf(account.id);
  const parts: Part[] = [];
  for (const group of await groups.everyKind()) {
    const seqs: number[] = [];
    for (let first = 1; first <= group.lastSeq; first += LOOKED_THROUGH_AT_ONCE) {
      const last = first + LOOKED_THROUGH_AT_ONCE - 1;
      seqs.push(...(await messages.seqsBy(account.id, group.id, first, last)));
      await new Promise(setImmediate);
    }
    if (seqs.length === 0) continue;
    const { name } = isListed(group, memberships.get(group.id), account)
      ? await groupPresenter.named(group, account.id)
      : { name: `A group that you left (${group.id})` };
    parts.push({ groupId: group.id, name, seqs });
  }
  return parts;
}

async function* messagesOf({ messages }: ArchiveDependencies, { groupId, seqs }: Part) {
  for (let at = 0; at < seqs.length; at += OPENED_AT_ONCE) {
    const batch = await messages.bySeqs(groupId, seqs.slice(at, at + OPENED_AT_ONCE));
    yield batch.filter((message) => message.removedAt === null).sort((a, b) => a.seq - b.seq);
    await new Promise(setImmediate);
  }
}

/** A page of what somebody wrote in one group. */
async function* pageOf(
  dependencies: ArchiveDependencies,
  part: Part,
  step: (count: number) => Promise<void>,
): AsyncGenerator<string> {
  const { views, texts } = dependencies;
  yield views.render('exports/_head.njk', { title: part.name });
  for await (const batch of messagesOf(dependencies, part)) {
    const rows = batch.map(async (message) => ({
      time: timeOf(message.createdAt),
      author: '',
      isEdited: message.editedAt !== null,
      body: asHtml((await texts.render(message.content, NO_MENTIONS)).html),
      files: message.files.map((file) => ({
        name: file.name,
        // The page is in a folder of its own.
        address: `../${entryOf(part.groupId, message.seq, file).split('/').map(encodeURIComponent).join('/')}`,
        isPicture: file.type.startsWith('image/'),
      })),
    }));
    yield views.render('exports/_messages.njk', { rows: await Promise.all(rows) });
    await step(batch.length);
  }
  yield '</ol>\n</main>\n</body>\n</html>\n';
}

/** All messages as one JSON array. */
async function* jsonOf(
  dependencies: ArchiveDependencies,
  parts: readonly Part[],
  step: (count: number) => Promise<void>,
  onFile: (groupId: number, seq: number, file: Attachment) => void,
): AsyncGenerator<string> {
  yield '[';
  let separator = '\n';
  for (const part of parts)
    for await (const batch of messagesOf(dependencies, part)) {
      for (const message of batch) {
        for (const file of message.files) onFile(part.groupId, message.seq, file);
        yield separator + JSON.stringify(asJson(message));
        separator = ',\n';
      }
      await step(batch.length);
    }
  yield '\n]\n';
}

function asJson({ groupId, seq, id, content, createdAt, editedAt, replyTo, thread, files }: Message) {
  return {
    ...{ groupId, seq, id, content, replyTo, thread },
    createdAt: new Date(createdAt).toISOString(),
    editedAt: editedAt === null ? null : new Date(editedAt).toISOString(),
    files: files.map((file) => ({ name: file.name, size: file.size, path: entryOf(groupId, seq, file) })),
  };
}

/** What is kept of the account beside its messages. */
async function recordOf(
  { groups, drafts, saved, sessionList }: ArchiveDependencies,
  account: Account,
  written: readonly object[],
) {
  const { sessionEpoch: _epoch, name: _name, createdAt, ...profile } = account;
  const sessions = await sessionList.of(account.id, account.sessionEpoch);
  const memberships = [...(await groups.membershipsOf(account.id)).values()];
  return {
    account: { ...profile, createdAt: new Date(createdAt).toISOString() },
    memberships: memberships.map(({ groupId, readSeq, isOwner, notificationLevel }) => ({
      ...{ groupId, readSeq, isOwner, notificationLevel },
    })),
    written,
    drafts: await drafts.of(account.id),
    bookmarks: await saved.before(account.id, Number.MAX_SAFE_INTEGER, MAX_BOOKMARKS),
    sessions: sessions.map(({ label, address, startedAt, usedAt }) => ({
      label,
      address,
      startedAt,
      usedAt,
    })),
  };
}

/** The path of a file in the archive, which every system can write. */
export function entryOf(groupId: number, seq: number, { id, name }: Pick<Attachment, 'id' | 'name'>): string {
  const plain = [...name.replace(/[\p{Cc}\p{Cs}\\/:*?"<>|]/gu, '_')].slice(-MAX_NAME_CHARACTERS).join('');
  return `files/${groupId}-${seq}-${id.slice(0, 4)}-${plain.replace(/[. ]+$/, '_')}`;
}
