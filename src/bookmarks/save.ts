import type { z } from 'zod';
import type { OpenGroup } from '../groups/access.ts';
import { messageOf } from '../messages/access.ts';
import type { wanted } from '../messages/pin.ts';
import type { MessageStore } from '../messages/store.ts';
import type { SavedStore } from './store.ts';

/** Keeps a message for oneself, or no longer; nobody else learns of it. @throws ChatError 404 when it is not there */
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
