import { z } from 'zod';
import { ChatError, notFound } from '../errors.ts';
import type { OpenGroup } from '../groups/access.ts';
import { yesOrNo } from '../operations/fields.ts';
import type { Message } from './message.ts';
import type { MessageWriter } from './writer.ts';

/** Maximum number of pins per group. */
export const MAX_PINS = 50;

/** `on` is the wanted state, so that a repeated request changes nothing. */
export const wanted = z.object({ on: yesOrNo('Say "on" as yes or no.') });

/**
 * Pins a message for everybody in the group, or takes the pin out; any member may.
 * @throws ChatError 404 when it is not there, 409 where too many are pinned
 */
export async function pinMessage(
  { writer }: { writer: MessageWriter },
  { group }: OpenGroup,
  seq: number,
  { on }: z.infer<typeof wanted>,
  now = Date.now(),
): Promise<Message> {
  return writer.amend({
    groupId: group.id,
    seq,
    refuseIn({ pins }, message) {
      const isFull = on && message.pinnedAt === null && message.removedAt === null && pins >= MAX_PINS;
      return isFull
        ? new ChatError('too_many_pins', 409, `A group has at most ${MAX_PINS} pins. Take one out first.`)
        : undefined;
    },
    amend(message) {
      if (message.removedAt !== null) return notFound('This message was removed.');
      if ((message.pinnedAt !== null) === on) return message;
      return { ...message, pinnedAt: on ? now : null };
    },
  });
}
