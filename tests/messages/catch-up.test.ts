import assert from 'node:assert/strict';
import test from 'node:test';
import { eventsMissed } from '../../src/bus/bus.ts';
import { createCaches } from '../../src/cache/caches.ts';
import type { Database } from '../../src/database/executor.ts';
import { createGroup } from '../../src/groups/create.ts';
import { groupAdvanced } from '../../src/groups/events.ts';
import { messagesChanged } from '../../src/messages/events.ts';
import { openCachedStores } from '../../src/stores.ts';
import { openStores } from '../support/stores.ts';

/** Three messages, written by another process than the one that reads: its caches are told of nothing. */
async function twoProcesses(t: test.TestContext) {
  const there = await openStores(t);
  const author = await there.account('ada');
  const group = await createGroup(there, author, { name: 'Garden' });
  const send = (content: string) =>
    there.messages.append([
      { groupId: group.id, authorId: author.id, id: crypto.randomUUID(), content, createdAt: 0 },
    ]);
  const edit = (seq: number, content: string) =>
    there.messages.amend([
      { groupId: group.id, seq, amend: (message) => ({ ...message, content, editedAt: 1 }) },
    ]);
  for (const content of ['one', 'two', 'three']) await send(content);

  /** Runs once, when the reading process has an answer of the database and has not looked at it yet. */
  const after: { answer?: (() => Promise<unknown>) | undefined } = {};
  const slow: Database = {
    ...there.databases.chat,
    async all(query, values) {
      const rows = await there.databases.chat.all(query, values);
      const answer = after.answer;
      after.answer = undefined;
      await answer?.();
      return rows as never;
    },
  };
  const caches = createCaches(there.subscribeFirst);
  const databases = { users: there.databases.users, chat: slow };
  const { messages, groups } = await openCachedStores(databases, there.keyring, caches, false);
  const changes = async (change: number, limit = 10) =>
    (await messages.changedAfter(group.id, change, limit)).map(({ seq, change, content }) => ({
      ...{ seq, change, content },
    }));
  return { ...there, send, edit, group, groups, after, messages, changes };
}

test('what changes again while it is listed comes with its own change, and nothing before it is passed over', async (t) => {
  const { send, edit, after, changes } = await twoProcesses(t);
  after.answer = async () => {
    await send('four');
    await edit(1, 'one, edited');
  };
  const first = await changes(0);
  const reached = first.at(-1)?.change ?? 0;
  const all = [...first, ...(await changes(reached))];
  assert.deepEqual(
    all.map(({ change }) => change),
    [2, 3, 4, 5],
    'in order, each once, with none left out',
  );
  assert.equal(all.at(-1)?.content, 'one, edited');
});

test('what changes again between two looks at the list comes once', async (t) => {
  const { edit, after, changes } = await twoProcesses(t);
  after.answer = async () => {
    await edit(1, 'one, edited');
    after.answer = () => edit(2, 'two, edited');
  };
  assert.deepEqual(
    (await changes(0)).map(({ seq, change }) => [seq, change]),
    [
      [3, 3],
      [1, 4],
      [2, 5],
    ],
  );
});

test('a reading that began before a change is not taken for the change', async (t) => {
  const { send, edit, after, messages, group, changes } = await twoProcesses(t);
  let isRead = () => {};
  const reading = new Promise<void>((resolve) => {
    isRead = resolve;
  });
  let goOn = () => {};
  after.answer = () => {
    isRead();
    return new Promise<void>((resolve) => {
      goOn = resolve;
    });
  };
  // Of four, of which one is not written yet.
  const before = messages.between(group.id, 1, 4);
  await reading;
  await edit(1, 'one, edited');
  await send('four');
  const listed = changes(3);
  await new Promise((resolve) => setTimeout(resolve, 50));
  goOn();
  assert.deepEqual(
    (await before).map(({ content }) => content),
    ['one', 'two', 'three'],
  );
  assert.deepEqual(await listed, [
    { seq: 1, change: 4, content: 'one, edited' },
    { seq: 4, change: 5, content: 'four' },
  ]);
});

test('a group has no newer change than messages in memory may have', async (t) => {
  const { edit, group, groups, messages, publish } = await twoProcesses(t);
  const isTold = (change: number) => {
    publish(groupAdvanced, { groupId: group.id, lastSeq: 3, lastChange: change });
    publish(messagesChanged, { groupId: group.id, messages: [{ seq: 1, change }] });
  };
  isTold(3);
  await messages.between(group.id, 1, 3);
  await edit(1, 'one, edited');
  const known = await groups.byId(group.id);
  assert.equal((await messages.bySeq(group.id, 1))?.content, 'one', 'nobody has told of the edit yet');
  assert.equal(known?.lastChange, 3, 'so that a page gets it when it connects');
  isTold(4);
  assert.equal((await messages.bySeq(group.id, 1))?.content, 'one, edited');
  assert.equal((await groups.byId(group.id))?.lastChange, 4);
  await edit(1, 'one, edited again');
  publish(eventsMissed, {});
  assert.equal((await messages.bySeq(group.id, 1))?.content, 'one, edited again');
  assert.equal((await groups.byId(group.id))?.lastChange, 5, 'nothing older is in memory any more');
});
