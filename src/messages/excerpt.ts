import { clock } from '../recordings/present.ts';
import { plainText } from './markdown.ts';
import type { Message } from './message.ts';

const EXCERPT_CHARACTERS = 140;

/** The beginning of a message on one line, without the marks of its formatting. */
export function excerptOf({ content, files, removedAt }: Message): string {
  if (removedAt !== null) return 'This message was removed.';
  if (content === '' && files.length > 0) return files.map(nameOf).join(', ');
  const line = plainText(content.slice(0, 4 * EXCERPT_CHARACTERS));
  const characters = [...line];
  return characters.length > EXCERPT_CHARACTERS
    ? `${characters.slice(0, EXCERPT_CHARACTERS).join('')}…`
    : line;
}

function nameOf({ name, voice }: Message['files'][number]): string {
  return voice ? `Voice message, ${clock(voice.length)}` : name;
}
