import { z } from 'zod';
import { ChatError, notFound } from '../errors.ts';
import type { OpenGroup } from '../groups/access.ts';
import { yesOrNo } from '../operations/fields.ts';
import type { Message, Reaction } from './message.ts';
import type { MessageWriter } from './writer.ts';

const MAX_EMOJI = 20;
/** Longer than the longest emoji sequences of Unicode (families, flags of regions), in UTF-16 units. */
const MAX_UTF16_UNITS = 40;

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

export const emoji = z
  .string('Choose one emoji.')
  .trim()
  .refine((text) => text.length <= MAX_UTF16_UNITS && isOneEmoji(text), 'Choose one emoji.');

/** `on` sets or clears the reaction (idempotent). Without it, as from a plain form, each request toggles it. */
export const reactable = z.object({ emoji, on: yesOrNo('Say "on" as yes or no.').optional() });

/**
 * Adds or removes the account's reaction to a message.
 * @throws ChatError 404 when there is no such message, 409 when it has 20 different emoji already
 */
export async function reactTo(
  { writer }: { writer: MessageWriter },
  { group, account }: OpenGroup,
  seq: number,
  { emoji, on }: z.infer<typeof reactable>,
): Promise<Message> {
  return writer.amend({
    groupId: group.id,
    seq,
    amend(message) {
      if (message.removedAt !== null) return notFound('This message was removed.');
      const existing = message.reactions.find((reaction) => reaction.emoji === emoji);
      const isOn = existing?.accountIds.includes(account.id) ?? false;
      if (on === isOn) return message;
      if (!existing && message.reactions.length >= MAX_EMOJI)
        return new ChatError(
          'too_many_emoji',
          409,
          'This message has 20 different emoji. Choose one of those.',
        );
      return { ...message, reactions: toggled(message.reactions, emoji, account.id) };
    },
  });
}

function toggled(reactions: readonly Reaction[], emoji: string, accountId: number): Reaction[] {
  const isKnown = reactions.some((reaction) => reaction.emoji === emoji);
  const all = isKnown ? reactions : [...reactions, { emoji, accountIds: [] }];
  return all
    .map((reaction) => {
      if (reaction.emoji !== emoji) return reaction;
      const others = reaction.accountIds.filter((id) => id !== accountId);
      const accountIds = others.length < reaction.accountIds.length ? others : [...others, accountId];
      return { emoji, accountIds };
    })
    .filter((reaction) => reaction.accountIds.length > 0);
}

/** Whether the text is one grapheme that contains an emoji; a plain letter or digit is not. */
function isOneEmoji(text: string): boolean {
  const [first, second] = graphemes.segment(text);
  if (!first || second) return false;
  return /\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|\u20e3/u.test(text);
}
