import type { Request } from 'express';
import type { DraftStore } from '../drafts/store.ts';
import type { ChatError } from '../errors.ts';
import { unsentFiles } from '../files/access.ts';
import { MAX_FILES, type StoredFile } from '../files/file.ts';
import { shownFile } from '../files/present.ts';
import type { FileStore } from '../files/store.ts';
import type { OpenGroup } from '../groups/access.ts';
import { numberInField, numberInQuery } from '../http/request.ts';
import type { Context } from '../http/views.ts';
import { transcriptText } from '../recordings/recording.ts';
import type { MessagePresenter, Quote } from './present.ts';

/** What the composer of a page shows: what was typed, what is answered, which files are chosen, and why it was refused. */
export type Composer = {
  error: ChatError | null;
  typed: string;
  reply: Quote | null;
  chosen: readonly Context[];
};

type Dependencies = { drafts: DraftStore; files: FileStore; presenter: MessagePresenter };

/**
 * Builds the composer of a requested page from the draft and the query (`reply`, `voice`).
 * @param thread 0 for the conversation itself
 */
export async function composerOf(
  { drafts, files, presenter }: Dependencies,
  request: Request,
  open: OpenGroup,
  thread: number,
): Promise<Composer> {
  const { account, group } = open;
  const typed = await drafts.read({ accountId: account.id, groupId: group.id, thread });
  const replyTo = numberInQuery(request, 'reply');
  const reply = replyTo === undefined ? null : ((await presenter.quote(group.id, replyTo)) ?? null);
  const { voice: id } = request.query;
  if (typeof id !== 'string') return { error: null, typed, reply, chosen: [] };
  // The recording may have been sent or discarded since; then `voice` is ignored.
  const [file] = await chosenFiles(files, open, [id.toLowerCase()]);
  const spoken = file?.voice ? transcriptText(file.voice) : '';
  const isThere = typed.includes(spoken);
  return {
    error: null,
    typed: isThere ? typed : [typed, spoken].filter(Boolean).join(' '),
    reply,
    // Makes the URL of "Look again" unique: a link to the current URL would not reload the page.
    chosen: file ? [{ ...shownFile(file), again: Date.now() }] : [],
  };
}

/** Rebuilds the composer of a refused form from its fields. @param uploaded the files that it uploaded */
export async function refusedComposer(
  { files, presenter }: Omit<Dependencies, 'drafts'>,
  request: Request,
  open: OpenGroup,
  error: ChatError,
  uploaded: readonly StoredFile[],
): Promise<Composer> {
  const typed: unknown = request.body?.content;
  const replyTo = numberInField(request, 'replyTo');
  const reply = replyTo ? ((await presenter.quote(open.group.id, replyTo)) ?? null) : null;
  // Keep the recording in the composer even if it was not selected for sending.
  const ids = [...new Set<unknown>([request.body?.fileIds ?? [], request.body?.voice ?? []].flat())];
  const before = await chosenFiles(files, open, ids.slice(0, MAX_FILES).map(String));
  return {
    error,
    typed: typeof typed === 'string' ? typed : '',
    reply,
    chosen: [...before, ...uploaded].map(shownFile),
  };
}

/** The files with these ids that the account uploaded to this group and has not sent yet. */
async function chosenFiles(files: FileStore, open: OpenGroup, ids: readonly string[]): Promise<StoredFile[]> {
  const settled = await Promise.allSettled(ids.map((id) => unsentFiles(files, open, [id])));
  return settled.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
}
