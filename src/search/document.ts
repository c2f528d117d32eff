import { kindOf } from '../files/file.ts';
import { hasLink } from '../messages/markdown.ts';
import type { Message } from '../messages/message.ts';
import { spokenIn } from '../recordings/recording.ts';
import type { Document } from './tokens.ts';

/** Index keys of filters. They begin with NUL, which texts do not contain, so that no word equals one. */
export const MARKS = {
  from: (accountId: number) => `\0from ${accountId}`,
  has: {
    file: '\0file',
    link: '\0link',
    voice: '\0voice',
    image: '\0image',
    video: '\0video',
    audio: '\0audio',
  },
};

/** Converts a message for the index; a removed one becomes empty and is not found. */
export function asDocument(message: Message): Document {
  const { groupId, seq, createdAt, content, authorId, removedAt, files } = message;
  if (removedAt !== null) return { groupId, seq, createdAt, text: '', marks: [] };
  const marks = [MARKS.from(authorId)];
  if (files.some((file) => !file.voice)) marks.push(MARKS.has.file);
  if (files.some((file) => file.voice)) marks.push(MARKS.has.voice);
  const kinds = new Set(files.map(kindOf));
  if (kinds.has('picture')) marks.push(MARKS.has.image);
  if (kinds.has('video')) marks.push(MARKS.has.video);
  if (kinds.has('audio')) marks.push(MARKS.has.audio);
  if (hasLink(content)) marks.push(MARKS.has.link);
  return { groupId, seq, createdAt, text: textOf(message), marks };
}

/** The searchable text of a message: its content, unless that is an unsure transcript, and the names of its files. */
export function textOf({ content, files }: Message): string {
  const isUnsure = spokenIn(files)?.voice.transcript === 'unsure';
  return [isUnsure ? '' : content, ...files.flatMap((file) => (file.voice ? [] : [file.name]))].join('\n');
}
