import { type ZodType, z } from 'zod';

// Fields that forms send as text, and programs as numbers and booleans.

// The sentence stands in each part, too: where only one of them is of the type of the input, zod answers with its own.

/** A whole number from 0 to `Number.MAX_SAFE_INTEGER`, which cursors come near to. */
export const wholeNumber = (sentence?: string) =>
  z
    .union([z.int(sentence).min(0, sentence), z.string().regex(/^\d{1,16}$/, sentence)], sentence)
    .transform(Number)
    .refine(Number.isSafeInteger, sentence);

/** A choice that is said: "yes" or "no", true or false. */
export const yesOrNo = (sentence = 'Choose yes or no.') =>
  z.union(
    [z.boolean(sentence), z.enum(['yes', 'no'], sentence).transform((word) => word === 'yes')],
    sentence,
  );

/** A checkbox: absent is no. */
export const checkbox = yesOrNo().default(false);

/** A field that may be left empty. */
export const optional = <Value>(field: ZodType<Value>) =>
  z
    .literal('')
    .transform(() => undefined)
    .or(field)
    .optional();
