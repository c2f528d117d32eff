import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import type { Message } from './server.ts';

/** A line of the screen: who and when, in the colour of the author, and a part of the text. */
export type Line = { key: string; head: string; authorId: number; text: string; isMuted: boolean };

/** Control characters could move the cursor or change the terminal; what others wrote must do neither. */
export function plainText(text: string): string {
  return text
    .replaceAll('\t', '  ')
    .replaceAll(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, (character) =>
      character === '\n' ? '\n' : '\ufffd',
    );
}

/** A message in words: its text, with files and voice said. */
export function textOf({ content, removed, editedAt, files, voice, reactions }: Message): string {
  if (removed) return '(removed)';
  const parts = [content];
  if (voice) parts.unshift(`(voice, ${Math.round(voice.length)} s)`);
  else parts.push(...files.map(({ name, size }) => `[file ${name}, ${Math.ceil(size / 1024)} KB]`));
  if (editedAt) parts.push('(edited)');
  parts.push(...reactions.map(({ emoji, accountIds }) => `${emoji} ${accountIds.length}`));
  return parts.filter(Boolean).join(' ');
}

/**
 * The lines of messages, wrapped to a width in columns; wide characters count as two.
 * @param width of head and text together
 */
export function linesOf(messages: readonly Message[], width: number): Line[] {
  return messages.flatMap((message) => {
    const time = new Date(message.createdAt).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
    const reply = message.replyTo === null ? '' : ` ↪ ${message.replyTo}`;
    const head = `${time} #${message.seq} ${plainText(message.author.name)}${reply}: `;
    return wrapped(head, plainText(textOf(message)), width).map((text, index) => ({
      key: `${message.seq}.${index}`,
      head: index === 0 ? head : '',
      authorId: message.author.id,
      text,
      isMuted: message.removed,
    }));
  });
}

/** The text in lines; the first leaves room for the head. */
function wrapped(head: string, text: string, width: number): string[] {
  const room = Math.max(8, width);
  const lines = wrapAnsi(`${'x'.repeat(Math.min(stringWidth(head), room - 4))}${text}`, room, {
    hard: true,
    trim: false,
  });
  const [first = '', ...rest] = lines.split('\n');
  return [first.replace(/^x+/, (marks) => marks.slice(Math.min(stringWidth(head), room - 4))), ...rest];
}
