import { z } from 'zod';
import type { AccountStore } from '../accounts/store.ts';
import { notFound } from '../errors.ts';
import type { Attachment } from '../files/file.ts';
import { type OpenGroup, openGroup } from '../groups/access.ts';
import type { GroupStore } from '../groups/store.ts';
import { isFromMachine, spokenIn } from '../recordings/recording.ts';
import { findMentions } from './mentions.ts';
import type { Message } from './message.ts';
import { refuseEdit } from './policies.ts';
import type { TextRenderer } from './render.ts';
import { emptyMessage, readable } from './send.ts';
import type { MessageWriter } from './writer.ts';

export const editable = z.object({ content: z.string('Write something first.') });

/**
 * Replaces the text of a message and keeps the old text as a revision. An unchanged text changes nothing, except that
 * it marks a machine's transcript as reviewed, as any edit of a voice message does. The mentions become those of the
 * new text, but for an @all that was not there before: see `recount`.
 * @param editLimitMs how long after sending an edit is allowed; undefined: for ever
 * @throws ChatError 400 for an empty or too long text, 403 from `refuseEdit`, 404 when there is no such message
 */
export async function editMessage(
  {
    writer,
    editLimitMs,
    ...stores
  }: {
    writer: MessageWriter;
    editLimitMs: number | undefined;
    accounts: AccountStore;
    groups: GroupStore;
    texts: TextRenderer;
  },
  open: OpenGroup,
  seq: number,
  { content }: z.infer<typeof editable>,
  now = Date.now(),
): Promise<Message> {
  const { group, account } = open;
  const text = readable(content, true);
  return writer.turns.run(`edit ${group.id} ${seq}`, async () => {
    const mentions = await findMentions(stores, group.id, text);
    // A long text takes a while: by now they may have been removed, or the group be archived.
    const actor = await openGroup(stores.groups, account, group.id);
    return writer.amend({ groupId: group.id, seq, amend: (message) => amended(message, actor, mentions) });
  });

  function amended(message: Message, actor: OpenGroup, mentions: Awaited<ReturnType<typeof findMentions>>) {
    if (message.removedAt !== null) return notFound('This message was removed.');
    const refusal = refuseEdit(actor, message, { editLimitMs, now });
    if (refusal) return refusal;
    const files = message.files.map((file) => lookedOver(file, message.authorId));
    if (message.content === text) return isDraft(message) ? { ...message, files } : message;
    const mayBeEmpty = message.files.length > 0 && message.authorId === account.id;
    if (text === '' && !mayBeEmpty) return emptyMessage();
    const preview = message.preview && hasLink(text, message.preview.url) ? message.preview : null;
    // An edit calls people by name only: @all is confirmed where a message is sent.
    const mentionsAll = message.mentionsAll && mentions.mentionsAll;
    return { ...message, ...mentions, mentionsAll, files, preview, content: text, editedAt: now };
  }

  function lookedOver({ voice, ...file }: Attachment, authorId: number): Attachment {
    if (!voice) return file;
    const { reviewerId: _before, ...rest } = voice;
    const byAnother = account.id !== authorId && { reviewerId: account.id };
    return { ...file, voice: { ...rest, transcript: 'reviewed', ...byAnother } };
  }
}

/** Whether an address stands in a text as a whole. */
function hasLink(text: string, address: string): boolean {
  const after = text.split(address).slice(1);
  return after.some((rest) => /^[.,;:!?)\]>"'*_~]*(?:\s|$)/.test(rest));
}

function isDraft({ files }: Message): boolean {
  const spoken = spokenIn(files);
  return spoken !== undefined && isFromMachine(spoken.voice);
}
