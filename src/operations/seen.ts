import { z } from 'zod';
import { ChatError } from '../errors.ts';
import { optional } from './fields.ts';

// A form that changes several settings at once sends what it showed of them: otherwise one that was opened earlier would
// undo what somebody else has changed since. Programs leave it out.

export const seenField = { seen: optional(z.string().max(2_000, 'Reload the page.')) };

/** What a form shows of the settings that it changes. */
export function seenOf(...values: readonly unknown[]): string {
  return values.map((value) => String(value ?? '')).join(' ');
}

/**
 * @param seen what the form showed
 * @param values the settings as they are, in the order in which `seenOf` was given them
 * @throws ChatError 409 where they are different
 */
export function refuseOutdated(seen: string | undefined, ...values: readonly unknown[]): void {
  if (seen === undefined || seen === seenOf(...values)) return;
  const sentence = 'This was changed since you opened the page. Look at it as it is now, and save again.';
  throw new ChatError('outdated', 409, sentence);
}
