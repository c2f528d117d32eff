import { join } from 'node:path';
import { type Manifest, MEDIA } from './manifest.ts';

/** How many files are named in a sentence. */
const NAMED = 5;

/** Such as "1 account". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** What a backup lacks, or is lost or damaged where the files are; undefined where all is well. */
export function lackInWords(
  { lost, damaged }: Pick<Manifest, 'lost' | 'damaged'>,
  media: string,
  target: string,
): string | undefined {
  const sentences = [
    lost.length > 0 &&
      `Lost or damaged in ${media}, and not in the backup: ${some(lost)}. Put them back if you have them elsewhere, or remove their messages.`,
    damaged.length > 0 &&
      `Lost or damaged in ${media}, and whole in the backup: ${some(damaged)}. Copy them back from ${join(target, MEDIA)}.`,
  ].filter((sentence) => sentence !== false);
  return sentences.length > 0 ? sentences.join(' ') : undefined;
}

function some(items: readonly string[]): string {
  const others = items.length > NAMED ? `, and ${items.length - NAMED} more` : '';
  return items.slice(0, NAMED).join(', ') + others;
}

/** What there is now. */
export function doneInWords(backup: {
  folder: string;
  manifest: Manifest;
  files: string;
  keyFolder: string | undefined;
  removed: readonly string[];
  later: readonly string[];
}): string {
  const { folder, manifest, files, keyFolder, removed, later } = backup;
  const { chat, users } = manifest.rows;
  const accounts = counted(users?.accounts ?? 0, 'account');
  const messages = counted(chat?.messages ?? 0, 'message');
  const hasKeys = manifest.files.some(({ path }) => path.startsWith('keys/'));
  return [
    `${folder} is good: ${accounts}, ${messages}, ${files}. ${keysInWords(keyFolder, hasKeys)}`,
    ...(removed.length > 0 ? [`Removed ${removed.join(', ')}.`] : []),
    ...(later.length > 0 ? [`Dated in the future (the clock was wrong) and kept: ${later.join(', ')}.`] : []),
  ].join('\n');
}

/** Where the keys are that a backup opens with. */
function keysInWords(keyFolder: string | undefined, hasKeys: boolean): string {
  if (keyFolder !== undefined) return `It is sealed; its key is in ${keyFolder}: keep that elsewhere.`;
  return hasKeys
    ? 'Its keys are in it: keep it as you keep the data folder.'
    : 'Its keys are not in it: keep them elsewhere.';
}
