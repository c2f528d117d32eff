import type { Publish } from '../bus/bus.ts';
import type { OpenGroup } from '../groups/access.ts';
import type { Message } from '../messages/message.ts';
import { draftChanged } from './events.ts';
import type { DraftStore } from './store.ts';

/**
 * Deletes what was begun where it is what was sent. Scripts delete their drafts themselves, but one whose page was closed
 * before the message went out cannot.
 */
export async function deleteSentDraft(
  dependencies: { drafts: DraftStore; publish: Publish },
  open: OpenGroup,
  { content, thread }: Pick<Message, 'content' | 'thread'>,
): Promise<void> {
  for (const place of thread === null ? [0] : [0, thread]) {
    const draft = await dependencies.drafts.read({
      ...{ accountId: open.account.id, groupId: open.group.id, thread: place },
    });
    if (draft !== '' && draft.trim() === content.trim()) await deleteDraft(dependencies, open, place);
  }
}

/** Deletes the draft of what was sent. @param thread 0 for the conversation itself */
export async function deleteDraft(
  { drafts, publish }: { drafts: DraftStore; publish: Publish },
  { group, account }: OpenGroup,
  thread: number,
): Promise<void> {
  const place = { accountId: account.id, groupId: group.id, thread };
  // Usually there is no draft. This read is cached, and saves the write.
  if ((await drafts.read(place)) === '') return;
  await drafts.write(place, '', 0);
  publish(draftChanged, place);
}
