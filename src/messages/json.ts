import { spokenIn } from '../recordings/recording.ts';
import { timedWords } from '../recordings/transcript.ts';
import type { LinkPreview, Message } from './message.ts';

/** A message as docs/wire.md has it. */
export function messageJson(
  message: Message,
  { id, username, name, isBot }: { id: number; username: string; name: string; isBot: boolean },
): string {
  return JSON.stringify({
    type: 'message',
    id: message.id,
    groupId: message.groupId,
    seq: message.seq,
    change: message.change,
    author: { id, username, name, ...(isBot && { isBot }) },
    content: message.content,
    createdAt: new Date(message.createdAt).toISOString(),
    editedAt: message.editedAt === null ? null : new Date(message.editedAt).toISOString(),
    removed: message.removedAt !== null,
    ...(message.removedBecause && { removedBecause: message.removedBecause }),
    replyTo: message.replyTo,
    thread: message.thread,
    replies: message.replyCount,
    pinned: message.pinnedAt !== null,
    ...(message.preview && { preview: previewJson(message.preview) }),
    reactions: message.reactions,
    mentions: message.mentionsAll ? 'all' : message.mentions,
    files: message.files.map(({ voice, ...file }) => ({ ...file, url: `/media/${file.id}` })),
    voice: voiceJson(message),
  });
}

function previewJson({ url, title, description, site }: LinkPreview) {
  return { url, title, description, site };
}

/** What was spoken, for programs; the words themselves are the message's content. */
function voiceJson({ files, content }: Message) {
  const spoken = spokenIn(files);
  if (!spoken) return null;
  const { length, peaks, transcript } = spoken.voice;
  return { fileId: spoken.id, length, peaks, transcript, words: timedWords(content, spoken.voice) };
}
