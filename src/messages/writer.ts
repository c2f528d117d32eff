import { createGroupCommit } from '../database/group-commit.ts';
import type { Publish } from '../events.ts';
import type { GroupStore } from '../groups/store.ts';
import { messagesSent } from './events.ts';
import type { Appended, MessageStore, NewMessage } from './store.ts';

/** The one place where messages are written: what arrives within a turn is committed, then told, then acknowledged. */
export type MessageWriter = {
  /** Resolves when the message is durable and has been told to everyone. */
  commit(message: NewMessage): Promise<Appended>;
  settled(): Promise<void>;
};

export function createMessageWriter({
  messages,
  groups,
  publish,
}: {
  messages: MessageStore;
  groups: GroupStore;
  publish: Publish;
}): MessageWriter {
  return createGroupCommit<NewMessage, Appended>(async (batch) => {
    const results = await messages.append(batch);
    const spans = new Map<number, { firstSeq: number; lastSeq: number; lastChange: number }>();
    for (const result of results) {
      if (result instanceof Error || !result.isNew) continue;
      const { groupId, seq, change } = result.message;
      const span = spans.get(groupId) ?? { firstSeq: seq, lastSeq: seq, lastChange: change };
      spans.set(groupId, { ...span, lastSeq: seq, lastChange: change });
    }
    for (const [groupId, { firstSeq, lastSeq, lastChange }] of spans) {
      groups.advanced(groupId, lastSeq, lastChange);
      publish(messagesSent, { groupId, firstSeq, lastSeq });
    }
    return results;
  });
}
