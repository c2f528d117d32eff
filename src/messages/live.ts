import { type ZodType, z } from 'zod';
import type { AccountStore } from '../accounts/store.ts';
import { invalid, notFound } from '../errors.ts';
import type { Subscribe } from '../events.ts';
import type { BlobStore } from '../files/blob-store.ts';
import type { FileStore } from '../files/store.ts';
import { type OpenGroup, openGroup } from '../groups/access.ts';
import { groupTopic } from '../groups/live.ts';
import type { GroupStore } from '../groups/store.ts';
import type { RateLimit } from '../http/rate-limit.ts';
import type { Connection } from '../live/connection.ts';
import { factText } from '../live/frames.ts';
import type { Hub } from '../live/hub.ts';
import type { Commands, Endpoint } from '../live/socket.ts';
import type { LivePresence } from '../presence/live.ts';
import { editable, editMessage } from './edit.ts';
import { messagesChanged } from './events.ts';
import { markRead, type ReadMarks } from './mark-read.ts';
import type { Message } from './message.ts';
import { pinMessage, wanted } from './pin.ts';
import { recordPlayback } from './playback.ts';
import type { PlaybackReceiptStore } from './playback-store.ts';
import type { MessagePresenter } from './present.ts';
import { reactable, reactTo } from './react.ts';
import { removeMessage } from './remove.ts';
import type { TextRenderer } from './render.ts';
import { sendable, sendMessage } from './send.ts';
import type { MessageStore } from './store.ts';
import type { MessageWriter } from './writer.ts';

/** How many a batch of catching up has; at 8,000 characters each they stay below what a reader may lag behind. */
const CATCH_UP = 50;

/** Shortest time between two typing notices of one connection; faster ones are dropped. */
const TYPING_EVERY_MS = 3_000;

const read = z.object({ seq: z.int('"seq" takes the number of a message.').min(0) });

type Dependencies = {
  hub: Hub;
  accounts: AccountStore;
  groups: GroupStore;
  editLimitMs: number | undefined;
  messages: MessageStore;
  presenter: MessagePresenter;
  presence: LivePresence;
  writer: MessageWriter;
  marks: ReadMarks;
  rate: RateLimit;
  files: FileStore;
  blobs: BlobStore;
  playbackReceipts: PlaybackReceiptStore;
  texts: TextRenderer;
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

  /** A command that changes one message, and is acknowledged with the change that it made. */
  const amending =
    <Body>(
      schema: ZodType<Body>,
      amend: (group: OpenGroup, seq: number, body: Body) => Promise<Message>,
    ): Commands[string] =>
    async (connection, message) => {
      const { seq } = parse(read, message);
      const group = await open(connection);
      const { change } = await amend(group, seq, parse(schema, message));
      hub.sendFact(connection, 'ack', { seq, change });
    };

  const commands: Commands = {
    async send(connection, message) {
      const { id, seq, change } = await sendMessage(
        dependencies,
        await open(connection),
        parse(sendable, message),
      );
      hub.sendFact(connection, 'ack', { id, seq, change });
    },
    edit: amending(editable, (group, seq, body) => editMessage(dependencies, group, seq, body)),
    remove: amending(z.unknown(), (group, seq) => removeMessage(dependencies, group, seq)),
    react: amending(reactable, (group, seq, body) => reactTo(dependencies, group, seq, body)),
    pin: amending(wanted, (group, seq, body) => pinMessage(dependencies, group, seq, body)),
    async read(connection, message) {
      await markRead(dependencies, await open(connection), parse(read, message).seq);
    },
    async heard(connection, message) {
      await recordPlayback(dependencies, await open(connection), parse(read, message).seq);
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

/** @throws ChatError 400 with the sentence of the first rule that is broken */
function parse<Body>(schema: ZodType<Body>, message: unknown): Body {
  const parsed = schema.safeParse(message);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(String(issue?.path[0] ?? 'type'), issue?.message ?? 'This message is not understood.');
}
