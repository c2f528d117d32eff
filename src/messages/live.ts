import { z } from 'zod';
import type { Subscribe } from '../bus/bus.ts';
import { notFound } from '../errors.ts';
import { openGroup } from '../groups/access.ts';
import { groupTopic } from '../groups/live.ts';
import { groupOperations } from '../groups/operations.ts';
import type { Limits } from '../limits.ts';
import { commandsOf } from '../live/commands.ts';
import type { Connection } from '../live/connection.ts';
import { factText } from '../live/frames.ts';
import type { Hub } from '../live/hub.ts';
import type { Commands, Endpoint } from '../live/socket.ts';
import { bindOperations, parseInput } from '../operations/define.ts';
import { wholeNumber } from '../operations/fields.ts';
import type { LivePresence } from '../presence/live.ts';
import { type ConversationOperationContext, conversationOperations } from './conversation-operations.ts';
import { messagesChanged, typed } from './events.ts';
import type { Message } from './message.ts';
import {
  type MessageOperationContext,
  type MessageTarget,
  messageOperations,
  messageTarget,
} from './operations.ts';
import type { MessagePresenter } from './present.ts';

/** How many a batch of catching up has; at 8,000 characters each they stay below what a reader may lag behind. */
const CATCH_UP = 50;

/** How often the others see that somebody is typing; more is dropped. */
const TYPING_RATE = { name: 'typing', points: 1, seconds: 3, sentence: 'You are typing.' };

/** Names the message that a command is about. */
const about = z.object({ seq: wholeNumber('"seq" takes the number of a message.') });

type Dependencies = MessageOperationContext &
  ConversationOperationContext & {
    hub: Hub;
    presenter: MessagePresenter;
    presence: LivePresence;
    limits: Limits;
    subscribe: Subscribe;
    /** Hears of what failed in the background. */
    report(error: unknown): void;
  };

/** `/ws/chat/:groupId`: one conversation, live. */
export function conversationSocket(dependencies: Dependencies): Endpoint {
  const { hub, accounts, groups, messages, presenter, presence, limits, subscribe, report } = dependencies;

  /** Access is looked at anew for each command; a socket that outlives a membership by a moment can do nothing. */
  const open = (connection: Connection) =>
    openGroup(groups, connection.account, Number(connection.topic.split(':')[1]));

  // Their acknowledgement names the message.
  const operationsOnMessages = bindOperations(messageOperations, dependencies, limits).map((operation) => ({
    ...operation,
    run: async (target: MessageTarget, body: unknown) => ({
      seq: target.seq,
      ...(await operation.run(target, body)),
    }),
  }));

  const commands: Commands = {
    ...commandsOf(hub, operationsOnMessages, async (connection, body) =>
      messageTarget(messages, await open(connection), parseInput(about, body).seq),
    ),
    ...commandsOf(hub, bindOperations(groupOperations, dependencies, limits), open),
    ...commandsOf(hub, bindOperations(conversationOperations, dependencies, limits), open),
  };

  const typing = limits.of(TYPING_RATE);
  subscribe(typed, async ({ groupId, accountId }) => {
    const account = await accounts.byId(accountId);
    if (!account || !(await typing.tryTake(`${groupId}/${accountId}`))) return;
    const { username, name } = account;
    const json = JSON.stringify({ type: 'typing', user: { id: accountId, username, name } });
    const html = factText('html', 'typing', { accountId, name });
    hub.publish(groupTopic(groupId), ({ protocol }) => (protocol === 'json' ? json : html), {
      except: accountId,
    });
  });

  const underWay = new Map<number, Promise<void>>();

  /** One after another in each group: a push that overtook another would leave a gap. */
  function inOrder(groupId: number, work: () => Promise<void>): Promise<void> {
    const done = (underWay.get(groupId) ?? Promise.resolve()).then(work);
    const settled = done
      .catch(() => {})
      .finally(() => underWay.get(groupId) === settled && underWay.delete(groupId));
    underWay.set(groupId, settled);
    return done;
  }

  subscribe(messagesChanged, ({ groupId, messages: changed }) => {
    const topic = groupTopic(groupId);
    if (hub.hasSubscribers(topic)) inOrder(groupId, () => pushChanged(topic, groupId, changed)).catch(report);
  });

  async function pushChanged(
    topic: string,
    groupId: number,
    changed: readonly { seq: number; change: number }[],
  ): Promise<void> {
    const lastChange = changed.at(-1)?.change ?? 0;
    const written = await messages.bySeqs(
      groupId,
      changed.map(({ seq }) => seq),
    );
    for (const message of written) {
      // Changed once more since: its newest change has an event of its own, in the order of changes.
      if (message.change > lastChange) continue;
      const html = hub.hasSubscribers(topic, 'html') ? await fragment(message) : undefined;
      const json = hub.hasSubscribers(topic, 'json') ? await presenter.json(message) : undefined;
      hub.publish(topic, ({ protocol }) => (protocol === 'json' ? json : html), { change: message.change });
    }
  }

  async function fragment(message: Message): Promise<string> {
    return presenter.fragment(message, await messages.bySeq(message.groupId, message.seq - 1));
  }

  /** What changed after what the connection has, in order. @returns how much that was, up to a batch */
  async function sendMissed(connection: Connection, groupId: number): Promise<number> {
    const changed = await messages.changedAfter(groupId, connection.change, CATCH_UP);
    for (const message of changed) {
      hub.send(
        connection,
        await (connection.protocol === 'json' ? presenter.json(message) : fragment(message)),
      );
      connection.change = message.change;
    }
    return changed.length;
  }

  /** Brings a connection to where the group is, as fast as it reads. */
  async function catchUp(connection: Connection, groupId: number): Promise<void> {
    do {
      await new Promise(setImmediate);
      await connection.drained();
    } while (connection.isOpen && (await sendMissed(connection, groupId)) > 0);
  }

  return {
    path: /^\/ws\/chat\/(\d{1,15})$/,
    topic: (groupId) => groupTopic(Number(groupId)),
    commands,
    async open(connection, _groupId, after) {
      const { group } = await open(connection);
      hub.sendFact(connection, 'hello', { groupId: group.id, seq: group.lastSeq, change: group.lastChange });
      connection.change = Math.min(after ?? group.lastChange, group.lastChange);
      await catchUp(connection, group.id);
      // Between two pushes, and subscribed before the last look: what is written in between is in one of them.
      await inOrder(group.id, async () => {
        if (!connection.isOpen) return;
        hub.subscribe(connection, connection.topic);
        await sendMissed(connection, group.id);
      });
      const now = await groups.byId(group.id);
      if (!now) throw notFound();
      await presence.enterGroup(connection, now);
    },
    closed(connection) {
      presence.leaveGroup(connection);
    },
  };
}
