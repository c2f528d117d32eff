import type { z } from 'zod';
import type { OpenGroup } from '../groups/access.ts';
import { messageOf } from '../messages/access.ts';
import type { wanted } from '../messages/pin.ts';
import type { MessageStore } from '../messages/store.ts';
import type { SavedStore } from './store.ts';

/** Adds or removes a bookmark, which only its account sees. @throws ChatError 404 when there is no such message */
export async function saveMessage(
  { messages, saved }: { messages: MessageStore; saved: SavedStore },
  open: OpenGroup,
  seq: number,
  { on }: z.infer<typeof wanted>,
  now = Date.now(),
): Promise<void> {
  await messageOf(messages, open, seq);
  await saved.set(open.account.id, open.group.id, seq, on, now);
}
