import { z } from 'zod';
import { notFound } from '../errors.ts';
import type { Subscribe } from '../events.ts';
import type { FileStore } from '../files/store.ts';
import { openGroup } from '../groups/access.ts';
import { groupTopic } from '../groups/live.ts';
import { groupOperations } from '../groups/operations.ts';
import { commandsOf } from '../live/commands.ts';
import type { Connection } from '../live/connection.ts';
import { factText } from '../live/frames.ts';
import type { Hub } from '../live/hub.ts';
import type { Commands, Endpoint } from '../live/socket.ts';
import { bindOperations, parseInput } from '../operations/define.ts';
import type { LivePresence } from '../presence/live.ts';
import { messagesChanged } from './events.ts';
import { markRead, type ReadMarks } from './mark-read.ts';
import type { Message } from './message.ts';
import { type MessageOperationContext, messageOperations, messageTarget } from './operations.ts';
import type { MessagePresenter } from './present.ts';
import { sendable, sendMessage } from './send.ts';

/** How many a batch of catching up has; at 8,000 characters each they stay below what a reader may lag behind. */
const CATCH_UP = 50;

/** Shortest time between two typing notices of one connection; faster ones are dropped. */
const TYPING_EVERY_MS = 3_000;

const read = z.object({ seq: z.int('"seq" takes the number of a message.').min(0) });

type Dependencies = MessageOperationContext & {
  hub: Hub;
  presenter: MessagePresenter;
  presence: LivePresence;
  marks: ReadMarks;
  files: FileStore;
  subscribe: Subscribe;
  /** Hears of what failed in the background. */
  report(error: unknown): void;
};

/** `/ws/chat/:groupId`: one conversation, live. */
export function conversationSocket(dependencies: Dependencies): Endpoint {
  const { hub, groups, messages, presenter, presence, subscribe, report } = dependencies;

  /** Access is looked at anew for each command; a socket that outlives a membership by a moment can do nothing. */
  const open = (connection: Connection) =>
    openGroup(groups, connection.account, Number(connection.topic.split(':')[1]));

  const typedAt = new WeakMap<Connection, number>();

  /** A command for each operation on a message, acknowledged with the change that it made. */
  const ofMessages = bindOperations(messageOperations, dependencies).map(
    (operation): [string, Commands[string]] => [
      operation.name,
      async (connection, body) => {
        const { seq } = parseInput(read, body);
        const target = await messageTarget(messages, await open(connection), seq);
        const { change } = await operation.run(target, body);
        hub.sendFact(connection, 'ack', { seq, change });
      },
    ],
  );

  const commands: Commands = {
    ...Object.fromEntries(ofMessages),
    ...commandsOf(hub, bindOperations(groupOperations, dependencies), open),
    async send(connection, message) {
      const { id, seq, change } = await sendMessage(
        dependencies,
        await open(connection),
        parseInput(sendable, message),
      );
      hub.sendFact(connection, 'ack', { id, seq, change });
    },
    async read(connection, message) {
      await markRead(dependencies, await open(connection), parseInput(read, message).seq);
    },
    async typing(connection) {
      const { account, group } = await open(connection);
      if (Date.now() - (typedAt.get(connection) ?? 0) < TYPING_EVERY_MS) return;
      typedAt.set(connection, Date.now());
      hub.publish(
        groupTopic(group.id),
        ({ protocol }) =>
          protocol === 'json'
            ? JSON.stringify({
                type: 'typing',
                user: { id: account.id, username: account.username, name: account.name },
              })
            : factText('html', 'typing', { accountId: account.id, name: account.name }),
        { except: account.id },
      );
    },
  };

  // One after another in each group: a push that overtook another would leave a gap.
  const pushes = new Map<number, Promise<void>>();
  subscribe(messagesChanged, ({ groupId, firstChange, lastChange }) => {
    const topic = groupTopic(groupId);
    if (!hub.hasSubscribers(topic)) return;
    const push = (pushes.get(groupId) ?? Promise.resolve())
      .then(() => pushChanged(topic, groupId, firstChange, lastChange))
      .catch(report)
      .finally(() => pushes.get(groupId) === push && pushes.delete(groupId));
    pushes.set(groupId, push);
  });

  async function pushChanged(topic: string, groupId: number, first: number, last: number): Promise<void> {
    for (const message of await messages.changedAfter(groupId, first - 1, last - first + 1)) {
      const html = hub.hasSubscribers(topic, 'html') ? await fragment(message) : undefined;
      const json = hub.hasSubscribers(topic, 'json') ? await presenter.json(message) : undefined;
      hub.publish(topic, ({ protocol }) => (protocol === 'json' ? json : html), { change: message.change });
    }
  }

  async function fragment(message: Message): Promise<string> {
    return presenter.fragment(message, await messages.bySeq(message.groupId, message.seq - 1));
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
        hub.send(
          connection,
          await (connection.protocol === 'json' ? presenter.json(message) : fragment(message)),
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
