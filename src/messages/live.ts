import { z } from 'zod';
import { invalid, notFound } from '../errors.ts';
import type { Subscribe } from '../events.ts';
import { openGroup } from '../groups/access.ts';
import { groupTopic } from '../groups/live.ts';
import type { GroupStore } from '../groups/store.ts';
import type { RateLimit } from '../http/rate-limit.ts';
import type { Connection } from '../live/connection.ts';
import { factText } from '../live/frames.ts';
import type { Hub } from '../live/hub.ts';
import type { Commands, Endpoint } from '../live/socket.ts';
import type { LivePresence } from '../presence/live.ts';
import { messagesSent } from './events.ts';
import { markRead, type ReadMarks } from './mark-read.ts';
import type { MessagePresenter } from './present.ts';
import { sendable, sendMessage } from './send.ts';
import type { Message, MessageStore } from './store.ts';
import type { MessageWriter } from './writer.ts';

/** How many a batch of catching up has; at 8,000 characters each they stay below what a reader may lag behind. */
const CATCH_UP = 50;

const read = z.object({ seq: z.int().min(0) });

type Dependencies = {
  hub: Hub;
  groups: GroupStore;
  messages: MessageStore;
  presenter: MessagePresenter;
  presence: LivePresence;
  writer: MessageWriter;
  marks: ReadMarks;
  rate: RateLimit;
  subscribe: Subscribe;
};

/** `/ws/chat/:groupId`: one conversation, live. */
export function conversationSocket(dependencies: Dependencies): Endpoint {
  const { hub, groups, messages, presenter, presence, subscribe } = dependencies;

  /** Access is looked at anew for each command; a socket that outlives a membership by a moment can do nothing. */
  const open = (connection: Connection) =>
    openGroup(groups, connection.account, Number(connection.topic.split(':')[1]));

  const commands: Commands = {
    async send(connection, message) {
      const parsed = sendable.safeParse(message);
      if (!parsed.success)
        throw invalid('content', parsed.error.issues[0]?.message ?? 'Write something first.');
      const { id, seq, change } = await sendMessage(dependencies, await open(connection), parsed.data);
      hub.sendFact(connection, 'ack', { id, seq, change });
    },
    async read(connection, message) {
      const parsed = read.safeParse(message);
      if (!parsed.success) throw invalid('seq', '"seq" takes the number of a message.');
      await markRead(dependencies, await open(connection), parsed.data.seq);
    },
    async typing(connection) {
      const { account, group } = await open(connection);
      hub.publish(
        groupTopic(group.id),
        ({ protocol }) =>
          protocol === 'json'
            ? JSON.stringify({ type: 'typing', user: { id: account.id, username: account.username } })
            : factText('html', 'typing', { accountId: account.id, username: account.username }),
        { except: account.id },
      );
    },
  };

  subscribe(messagesSent, async ({ groupId, firstSeq, lastSeq }) => {
    const topic = groupTopic(groupId);
    if (!hub.isHeard(topic)) return;
    const [previous, ...sent] = await withPrevious(groupId, firstSeq, lastSeq);
    await pushAll(topic, sent, previous);
  });

  async function pushAll(
    topic: string,
    sent: readonly (Message | undefined)[],
    before: Message | undefined,
  ): Promise<void> {
    let previous = before;
    for (const message of sent) {
      if (!message) continue;
      const html = hub.isHeard(topic, 'html') ? await presenter.fragment(message, previous) : undefined;
      const json = hub.isHeard(topic, 'json') ? await presenter.json(message) : undefined;
      hub.publish(topic, ({ protocol }) => (protocol === 'json' ? json : html), { change: message.change });
      previous = message;
    }
  }

  /** The messages of a span, after the one before them, which is undefined for a group's first. */
  async function withPrevious(
    groupId: number,
    firstSeq: number,
    lastSeq: number,
  ): Promise<(Message | undefined)[]> {
    const found = await messages.between(groupId, Math.max(1, firstSeq - 1), lastSeq);
    return firstSeq === 1 ? [undefined, ...found] : found;
  }

  /** Everything that changed after what the connection has, in order, until there is nothing it has not got. */
  async function catchUp(connection: Connection, groupId: number, after: number): Promise<void> {
    connection.change = after;
    for (;;) {
      // Waiting comes first: between the last look at what has changed and the subscription nothing may come in between.
      await new Promise(setImmediate);
      await connection.drained();
      const changed = await messages.changedAfter(groupId, connection.change, CATCH_UP);
      for (const message of changed) {
        const previous = (await messages.between(groupId, message.seq - 1, message.seq - 1))[0];
        hub.send(
          connection,
          await (connection.protocol === 'json'
            ? presenter.json(message)
            : presenter.fragment(message, previous)),
        );
        connection.change = message.change;
      }
      if (changed.length < CATCH_UP || !connection.isOpen) return;
    }
  }

  return {
    path: /^\/ws\/chat\/(\d{1,15})$/,
    topic: (groupId) => groupTopic(Number(groupId)),
    commands,
    async open(connection, _groupId, after) {
      const { group } = await open(connection);
      hub.sendFact(connection, 'hello', { groupId: group.id, seq: group.lastSeq, change: group.lastChange });
      if (after === undefined) connection.change = group.lastChange;
      else await catchUp(connection, group.id, Math.min(after, group.lastChange));
      hub.subscribe(connection, connection.topic);
      const now = await groups.byId(group.id);
      if (!now) throw notFound();
      await presence.enterGroup(connection, now);
    },
    closed(connection) {
      presence.leaveGroup(connection);
    },
  };
}
