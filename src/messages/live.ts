import { z } from 'zod';
import type { Subscribe } from '../bus/bus.ts';
import { notFound } from '../errors.ts';
import { type OpenGroup, openGroup } from '../groups/access.ts';
import { messagesPurged } from '../groups/events.ts';
import { groupOf, groupTopic } from '../groups/live.ts';
import { type GroupOperationContext, groupOperations } from '../groups/operations.ts';
import { refuseWriting } from '../groups/policies.ts';
import type { GroupStore } from '../groups/store.ts';
import type { Limits } from '../limits.ts';
import { commandsOf } from '../live/commands.ts';
import type { Connection } from '../live/connection.ts';
import { factText } from '../live/frames.ts';
import type { Hub } from '../live/hub.ts';
import type { Commands, Endpoint } from '../live/socket.ts';
import type { Metrics } from '../metrics.ts';
import { type BoundOperation, bindOperations, parseInput } from '../operations/define.ts';
import { wholeNumber } from '../operations/fields.ts';
import type { LivePresence } from '../presence/live.ts';
import { type ConversationOperationContext, conversationOperations } from './conversation-operations.ts';
import { messagesChanged, typed, typingShown } from './events.ts';
import type { Message } from './message.ts';
import {
  type MessageOperationContext,
  type MessageTarget,
  messageOperations,
  messageTarget,
} from './operations.ts';
import type { MessagePresenter } from './present.ts';
import type { MessageStore } from './store.ts';

/** Messages per catch-up batch. At 8,000 characters each, a batch stays below MAX_BUFFERED_BYTES. */
const CATCH_UP = 50;

/** Rate limit of typing notices per member and group; further ones are dropped. */
const TYPING_RATE = { name: 'typing', points: 1, seconds: 3, sentence: 'You are typing.' };

/** Names the message that a command is about. */
const messageReference = z.object({ seq: wholeNumber('"seq" takes the number of a message.') });

type Dependencies = MessageOperationContext &
  ConversationOperationContext &
  GroupOperationContext & {
    hub: Hub;
    presenter: MessagePresenter;
    presence: LivePresence;
    limits: Limits;
    subscribe: Subscribe;
    subscribeOwn: Subscribe;
    metrics: Pick<Metrics, 'push'>;
    /** Called with errors of background work. */
    report(error: unknown): void;
  };

/** `/ws/chat/:groupId`: one conversation, live. */
export class ConversationSocket implements Endpoint {
  readonly path = /^\/ws\/chat\/(\d{1,15})$/;
  readonly commands: Commands;
  readonly #hub: Hub;
  readonly #groups: GroupStore;
  readonly #messages: MessageStore;
  readonly #presenter: MessagePresenter;
  readonly #presence: LivePresence;
  readonly #underWay = new Map<number, Promise<void>>();

  constructor(dependencies: Dependencies) {
    const { hub, groups, messages, presenter, presence, subscribe, metrics, report } = dependencies;
    this.#hub = hub;
    this.#groups = groups;
    this.#messages = messages;
    this.#presenter = presenter;
    this.#presence = presence;
    this.commands = this.#commandsOf(dependencies);
    tellTyping(dependencies);
    subscribe(messagesPurged, ({ groupId, last }) =>
      hub.publish(groupTopic(groupId), ({ protocol }) =>
        factText(protocol, 'purged', { groupId, seq: last }),
      ),
    );
    subscribe(messagesChanged, ({ groupId, messages: changed }) => {
      const topic = groupTopic(groupId);
      const heardAt = performance.now();
      if (hub.hasSubscribers(topic))
        this.#inOrder(groupId, () => this.#pushChanged(topic, groupId, changed))
          .then(() => metrics.push((performance.now() - heardAt) / 1_000))
          .catch((error) => {
            report(error);
            // Whoever comes back gets what could not be pushed.
            hub.renewWhere((connection) => connection.topic === topic, 'Something was missed.');
          });
    });
  }

  topic(groupId: string): string {
    return groupTopic(Number(groupId));
  }

  async open(connection: Connection, _groupId: string, after: number | undefined): Promise<void> {
    const opened = await this.#access(connection);
    const { group } = opened;
    this.#hub.sendFact(connection, 'hello', {
      groupId: group.id,
      seq: group.lastSeq,
      change: group.lastChange,
      purged: group.purgedSeq || undefined,
      readOnly: refuseWriting(opened)?.message,
    });
    connection.change = Math.min(after ?? group.lastChange, group.lastChange);
    await this.#catchUp(connection, group.id);
    // Run between two pushes, and subscribe before sending the rest, so that no change falls in between.
    await this.#inOrder(group.id, async () => {
      if (!connection.isOpen) return;
      this.#hub.subscribe(connection, connection.topic);
      // All of it: a push of something newer would pass over what is left.
      while (connection.isOpen && (await this.#sendMissed(connection, group.id)) === CATCH_UP);
    });
    const now = await this.#groups.byId(group.id);
    if (!now) throw notFound();
    await this.#presence.enterGroup(connection, now);
  }

  check(connection: Connection): Promise<OpenGroup> {
    return this.#access(connection);
  }

  closed(connection: Connection): void {
    this.#presence.leaveGroup(connection);
  }

  #commandsOf(dependencies: Dependencies): Commands {
    const { hub, limits, messages } = dependencies;
    // Acknowledgements of these operations include the seq of the message.
    const operationsOnMessages = bindOperations(messageOperations, dependencies, limits).map((operation) => ({
      ...operation,
      run: async (target: MessageTarget, body: unknown) => ({
        seq: target.seq,
        ...(await operation.run(target, body)),
      }),
    }));
    const access = (connection: Connection) => this.#access(connection);
    return {
      ...commandsOf(hub, operationsOnMessages, async (connection, body) =>
        messageTarget(messages, await access(connection), parseInput(messageReference, body).seq),
      ),
      ...commandsOf(hub, bindOperations(groupOperations, dependencies, limits), access),
      ...commandsOf(hub, bindOperations(conversationOperations, dependencies, limits), access),
    };
  }

  /** Takes commands for operations on a group of a feature that builds on this one. */
  addOperations(operations: readonly BoundOperation<OpenGroup>[]): void {
    Object.assign(
      this.commands,
      commandsOf(this.#hub, operations, (connection) => this.#access(connection)),
    );
  }

  /** Checks membership for each command, since a socket may briefly stay open after its account left the group. */
  #access(connection: Connection): Promise<OpenGroup> {
    return openGroup(this.#groups, connection.account, groupOf(connection.topic));
  }

  /** Runs work sequentially per group: if a push overtook an older one, clients would miss the older change. */
  #inOrder(groupId: number, work: () => Promise<void>): Promise<void> {
    const done = (this.#underWay.get(groupId) ?? Promise.resolve()).then(work);
    const settled = done
      .catch(() => {})
      .finally(() => this.#underWay.get(groupId) === settled && this.#underWay.delete(groupId));
    this.#underWay.set(groupId, settled);
    return done;
  }

  async #pushChanged(
    topic: string,
    groupId: number,
    changed: readonly { seq: number; change: number }[],
  ): Promise<void> {
    const lastChange = changed.at(-1)?.change ?? 0;
    const written = await this.#messages.bySeqs(
      groupId,
      changed.map(({ seq }) => seq),
    );
    for (const message of written) {
      // The message has changed again since this event; the event of that change will push it.
      if (message.change > lastChange) continue;
      const html = this.#hub.hasSubscribers(topic, 'html') ? await this.#fragment(message) : undefined;
      const json = this.#hub.hasSubscribers(topic, 'json') ? await this.#presenter.json(message) : undefined;
      this.#hub.publish(topic, ({ protocol }) => (protocol === 'json' ? json : html), {
        change: message.change,
      });
    }
  }

  async #fragment(message: Message): Promise<string> {
    return this.#presenter.fragment(message, await this.#messages.bySeq(message.groupId, message.seq - 1));
  }

  /** Sends up to one batch of changes that the connection has not received, in order. @returns how many */
  async #sendMissed(connection: Connection, groupId: number): Promise<number> {
    const changed = await this.#messages.changedAfter(groupId, connection.change, CATCH_UP);
    for (const message of changed) {
      this.#hub.send(
        connection,
        await (connection.protocol === 'json' ? this.#presenter.json(message) : this.#fragment(message)),
      );
      connection.change = message.change;
    }
    return changed.length;
  }

  /** Sends batches until the connection is up to date, waiting for it to drain before each one (backpressure). */
  async #catchUp(connection: Connection, groupId: number): Promise<void> {
    do {
      await new Promise(setImmediate);
      await connection.drained();
    } while (connection.isOpen && (await this.#sendMissed(connection, groupId)) > 0);
  }
}

/** "Mina is typing…", to the others. */
function tellTyping({ hub, accounts, limits, publish, subscribe, subscribeOwn }: Dependencies): void {
  const rate = limits.of(TYPING_RATE);
  // Counted once, where it was typed, and told everywhere.
  subscribeOwn(typed, async (who) => {
    if (await rate.tryConsume(`${who.groupId}/${who.accountId}`)) publish(typingShown, who);
  });
  subscribe(typingShown, async ({ groupId, accountId }) => {
    const account = await accounts.byId(accountId);
    if (!account) return;
    const { username, name } = account;
    const json = JSON.stringify({ type: 'typing', user: { id: accountId, username, name } });
    const html = factText('html', 'typing', { accountId, name });
    hub.publish(groupTopic(groupId), ({ protocol }) => (protocol === 'json' ? json : html), {
      except: accountId,
    });
  });
}
