import type { z } from 'zod';

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
};
const UNITS: Readonly<Record<string, string>> = { string: 'characters', array: 'entries' };

const NO_FIELDS = 'Send the fields as a JSON object or a form.';

/** The sentence for a rule that has none of its own; what zod itself says is not for the people who read it. */
export function sentenceOf(issue: z.core.$ZodRawIssue): string {
  const field = issue.path?.join('.');
  if (!field) return NO_FIELDS;
  if (issue.code === 'invalid_union') return ofUnion(field, issue.errors.flat());
  if (issue.code === 'invalid_type')
    return issue.input === undefined ? `"${field}" is missing.` : ofType(field, issue.expected);
  const unit = 'origin' in issue ? UNITS[String(issue.origin)] : undefined;
  const limit = (bound: string, value: number | bigint) =>
    unit ? `"${field}" has ${bound} ${value} ${unit}.` : `"${field}" is ${bound} ${value}.`;
  if (issue.code === 'too_big') return limit('at most', issue.maximum);
  if (issue.code === 'too_small') return limit('at least', issue.minimum);
  if (issue.code === 'invalid_value') return `"${field}" takes ${issue.values.map(String).join(', ')}.`;
  return `"${field}" cannot be read.`;
}

/** Within a union, the path begins anew: what is said of a whole body there is not of this field. */
function ofUnion(field: string, issues: readonly z.core.$ZodIssue[]): string {
  const own = issues.findLast(({ message }) => message !== NO_FIELDS);
  if (own) return own.message;
  const last = issues.findLast((issue) => issue.code === 'invalid_type');
  return last ? ofType(field, last.expected) : `"${field}" cannot be read.`;
}

function ofType(field: string, expected: string): string {
  return `"${field}" takes ${KINDS[expected] ?? expected}.`;
}
