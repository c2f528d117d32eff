import { createRequire } from 'node:module';
import { z } from 'zod';
import { foldCase } from '../crypto/blind-index.ts';

/** Unicode's table of characters that look alike: each → the one that stands for all of them (UTS 39, confusables.txt). */
const prototypes: Readonly<Record<string, string>> = createRequire(import.meta.url)('unhomoglyph/data.json');

/** What a name looks like: two names with the same skeleton cannot be told apart (UTS 39, 4 "Confusable Detection"). */
export function skeleton(name: string): string {
  // Map upper and lower case: names are compared without regard to case, and capitals resemble other characters.
  return lookOf(lookOf(name.toUpperCase()).toLowerCase());
}

function lookOf(text: string): string {
  const visible = text.normalize('NFD').replace(/\p{Default_Ignorable_Code_Point}/gu, '');
  return [...visible]
    .map((character) => prototypes[character] ?? character)
    .join('')
    .normalize('NFD');
}

/**
 * Whether two names can be mistaken for one another: they have the same skeleton and are not two different plain
 * ASCII names, since people can tell "Ian" from "lan".
 */
export function areConfusable(first: string, other: string): boolean {
  return (
    skeleton(first) === skeleton(other) &&
    !(isAscii(first) && isAscii(other) && foldCase(first) !== foldCase(other))
  );
}

function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

/** Names that mention everybody, or that would seem to speak for Hearth itself. */
const RESERVED = ['all', 'everyone', 'everybody', 'here', 'channel', 'system'];

function isReserved(name: string): boolean {
  return RESERVED.some((word) => skeleton(word) === skeleton(name));
}

/** Invisible characters, including the Hangul fillers, which Unicode classifies as letters. */
const INVISIBLE = /[\u115f\u1160\u3164\uffa0]|\p{Default_Ignorable_Code_Point}/u;

/** Latin letters beside Cyrillic or Greek ones that look the same (UTS 39, 5.2 "Restriction Levels"). */
function mixesLookAlikes(name: string): boolean {
  return /\p{Script=Latin}/u.test(name) && /[\p{Script=Cyrillic}\p{Script=Greek}]/u.test(name);
}

const USERNAME_RULE = 'A name has 3 to 50 letters, digits, “.”, “_” or “-”.';
const SPACE_RULE =
  'A name has no spaces: join the words or put a “.” between them. The name that others see, a setting of your account, may have some.';
const MIXED_RULE = 'A name is written in one alphabet. This one mixes letters that look the same.';
const RESERVED_RULE = 'This name is reserved, since it stands for everybody here. Choose another.';

const visible = (rule: string) => (name: string, context: z.RefinementCtx) => {
  const refuse = (message: string) => context.addIssue({ code: 'custom', message });
  if (INVISIBLE.test(name) || !/[\p{L}\p{Nd}]/u.test(name)) refuse(rule);
  else if (mixesLookAlikes(name)) refuse(MIXED_RULE);
  else if (isReserved(name)) refuse(RESERVED_RULE);
};

export const username = z
  .string(USERNAME_RULE)
  .trim()
  .transform((name) => name.normalize('NFC'))
  .superRefine((name, context) => {
    const length = [...name].length;
    const hasSpaces = /^[\p{L}\p{M}\p{Nd}._-]+(?:\s+[\p{L}\p{M}\p{Nd}._-]+)+$/u.test(name);
    if (hasSpaces) context.addIssue({ code: 'custom', message: SPACE_RULE });
    else if (!/^[\p{L}\p{M}\p{Nd}._-]+$/u.test(name) || length < 3 || length > 50)
      context.addIssue({ code: 'custom', message: USERNAME_RULE });
    else visible(USERNAME_RULE)(name, context);
  });

const DISPLAY_RULE =
  'The name that others see has at most 50 characters, with a letter or a digit among them.';

/** One line; empty is the username. */
export const displayName = z
  .string(DISPLAY_RULE)
  .transform((name) => name.normalize('NFC').replace(/\s+/g, ' ').trim())
  .superRefine((name, context) => {
    if (name === '') return;
    if ([...name].length > 50 || /[\p{Cc}\p{Cs}\p{Co}\u202a-\u202e\u2066-\u2069@]/u.test(name))
      context.addIssue({ code: 'custom', message: DISPLAY_RULE });
    else visible(DISPLAY_RULE)(name, context);
  });
