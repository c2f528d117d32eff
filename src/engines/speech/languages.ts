import { z } from 'zod';

/** What people can say that they speak, by their codes (ISO 639-1). */
const CODES =
  'ar bg bn ca cs da de el en es et fa fi fr gu he hi hr hu id it ja ka kk ko lt lv mk ml mr ms nl no pa pl pt ro ru sk sl sq sr sv sw ta te th tl tr uk ur uz vi zh'.split(
    ' ',
  );

const NAMES = new Intl.DisplayNames('en', { type: 'language' });

/**
 * The language set for a recording, group or person: a code such as `fr`, `none` for "no text", or null if not set.
 */
export type SpokenLanguage = string | null;

const LANGUAGE_RULE = 'Choose a language from the list, by a code such as "de" or "de-DE".';
/** With a region or a script (BCP 47), as programs and browsers name a language; that of the code is meant. */
const withRegion = z
  .string(LANGUAGE_RULE)
  .regex(/^[A-Za-z]{2}(?:-[A-Za-z\d]{1,8}){1,3}$/, LANGUAGE_RULE)
  .transform((tag) => tag.slice(0, 2).toLowerCase())
  .pipe(z.enum(CODES, LANGUAGE_RULE));

export const spokenLanguage = z
  .enum(['', 'none', ...CODES], LANGUAGE_RULE)
  .or(withRegion)
  .transform((code): SpokenLanguage => code || null);

/** `French` for `fr`. */
export function languageName(code: string): string {
  return NAMES.of(code) ?? code;
}

/** The languages as a list to choose from, in the order of the alphabet. */
export const LANGUAGES: readonly { code: string; name: string }[] = CODES.map((code) => ({
  code,
  name: languageName(code),
})).sort((a, b) => a.name.localeCompare(b.name));

/**
 * Decides the language of a recording. The setting of the recording itself takes precedence. "No text", set by the
 * person or the group, comes before any language, since it is a wish for privacy. Then the language of the group
 * comes before that of the person, since it is more specific.
 */
export function decideLanguage(said: {
  recording: SpokenLanguage;
  group: SpokenLanguage;
  person: SpokenLanguage;
}): SpokenLanguage {
  const { recording, group, person } = said;
  if (recording) return recording;
  if (group === 'none' || person === 'none') return 'none';
  return group ?? person;
}
