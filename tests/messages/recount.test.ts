import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import type { Account } from '../../src/accounts/store.ts';
import { createGroupCommit } from '../../src/database/group-commit.ts';
import { createSealer } from '../../src/database/sealed-columns.ts';
import { drafts as draftRows } from '../../src/database/tables/chat.ts';
import { CachedDraftStore } from '../../src/drafts/cached.ts';
import { keepDraft } from '../../src/drafts/keep.ts';
import { openGroup } from '../../src/groups/access.ts';
import { createGroup } from '../../src/groups/create.ts';
import { joinGroup } from '../../src/groups/join.ts';
import { isMentionUnread, unreadOf } from '../../src/groups/present.ts';
import { editMessage } from '../../src/messages/edit.ts';
import { mentionsAdded, messageRemoved } from '../../src/messages/events.ts';
import { reactTo } from '../../src/messages/react.ts';
import { removeMessage } from '../../src/messages/remove.ts';
import { sendMessage } from '../../src/messages/send.ts';
import { createReadMarks, markRead } from '../../src/receipts/mark-read.ts';
import type { Ending } from '../support/hearth.ts';
import { openStores } from '../support/stores.ts';

async function garden(t: Ending) {
  const stores = await openStores(t);
  const [ada, bob] = [await stores.account('ada'), await stores.account('bob')];
  const group = await createGroup(stores, ada, { name: 'Garden' });
  await joinGroup(stores, bob, group.id);
  const marks = createReadMarks(stores);
  const open = (account: Account) => openGroup(stores.groups, account, group.id);
  const deps = { ...stores, marks, editLimitMs: undefined };
  return {
    ...deps,
    bob,
    group,
    open,
    send: async (content: string, replyTo?: number) =>
      sendMessage(deps, await open(ada), { id: randomUUID(), content, ...(replyTo && { replyTo }) }),
    edit: async (seq: number, content: string) => editMessage(deps, await open(ada), seq, { content }),
    remove: async (seq: number) => removeMessage(deps, await open(ada), seq),
    read: async (seq: number) => markRead(deps, await open(bob), seq),
    /** What bob's list says: unread messages, and whether one of them calls him. */
    async shown() {
      const { membership } = await open(bob);
      const now = await stores.groups.byId(group.id);
      assert.ok(now);
      return [unreadOf(now, membership), isMentionUnread(membership)];
    },
  };
}

test('a message that is removed is not unread any more, and calls nobody', async (t) => {
  const { send, remove, read, shown, groups, group, bob } = await garden(t);
  await send('one');
  await send('two @bob');
  await send('three');
  assert.deepEqual(await shown(), [3, true]);
  await remove(2);
  assert.deepEqual(await shown(), [2, false]);
  await remove(2);
  assert.deepEqual(await shown(), [2, false], 'removed once');
  await read(1);
  assert.deepEqual(await shown(), [1, false]);
  await remove(3);
  assert.deepEqual(await shown(), [0, false]);
  await groups.moveMark({ accountId: bob.id, groupId: group.id, seq: 0, now: 1 });
  assert.deepEqual(await shown(), [1, false], 'marked unread from the first on');
});

test('an edit that calls nobody any more takes the @ back to the message before that does', async (t) => {
  const { send, edit, shown } = await garden(t);
  await send('first @bob');
  await send('second @bob');
  await edit(2, 'second');
  assert.deepEqual(await shown(), [2, true], 'the first one still calls him');
  await edit(1, 'first');
  assert.deepEqual(await shown(), [2, false]);
});

test('an edit that calls somebody new says so once, and marks it', async (t) => {
  const { send, edit, shown, recordEvents, bob } = await garden(t);
  const told = recordEvents(mentionsAdded);
  await send('first text');
  await edit(1, 'first text @bob');
  assert.deepEqual(told, [{ groupId: 1, seq: 1, accountIds: [bob.id] }]);
  assert.deepEqual(await shown(), [1, true]);
  await edit(1, 'first text for @bob');
  assert.equal(told.length, 1);
});

test('an edit of an old message takes no newer @ away', async (t) => {
  const { send, edit, read, shown } = await garden(t);
  await send('one');
  await read(1);
  await send('@bob two');
  assert.deepEqual(await shown(), [1, true]);
  await edit(1, 'one, @bob');
  assert.deepEqual(await shown(), [1, true]);
});

test('a removed reply is told to those who count its thread', async (t) => {
  const { send, remove, recordEvents } = await garden(t);
  const removed = recordEvents(messageRemoved);
  await send('question');
  await send('answer', 1);
  await remove(2);
  assert.deepEqual(removed, [{ groupId: 1, seq: 2, thread: 1 }]);
});

test('a full disk in the middle of a batch does not repeat what is committed: a reaction is not turned over twice', async (t) => {
  const { send, open, bob, writer, messages, group, databases } = await garden(t);
  await send('tea?');
  const full = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
  const { append } = messages;
  messages.append = () => Promise.reject(full);
  t.after(() => {
    messages.append = append;
  });
  const reaction = reactTo({ writer }, await open(bob), 1, { emoji: '👍' });
  const sent = send('this one finds the disk full');
  assert.equal((await reaction).reactions[0]?.accountIds.length, 1);
  await assert.rejects(sent, { code: 'SQLITE_FULL' });
  assert.deepEqual((await messages.bySeq(group.id, 1))?.reactions, [{ emoji: '👍', accountIds: [bob.id] }]);
  assert.ok(databases);
});

test('a part of a batch that fails is tried job by job; the parts before it keep their results', async () => {
  const written: number[] = [];
  const { commit } = createGroupCommit<number, string>(
    async (jobs) => {
      if (jobs.includes(3)) throw new Error('three');
      written.push(...jobs);
      return jobs.map(String);
    },
    (jobs) => [jobs.slice(0, 2), jobs.slice(2)],
  );
  const results = await Promise.allSettled([1, 2, 3, 4].map(commit));
  assert.deepEqual(written, [1, 2, 4]);
  assert.deepEqual(
    results.map((result) => result.status),
    ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
  );
});

test('a draft that could not be written is not shown as if it were', async (t) => {
  const { databases, keyring, caches, publish, messages, open, bob } = await garden(t);
  let isFull = false;
  const full = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
  class FullDraftStore extends CachedDraftStore {
    override async write(...draft: Parameters<CachedDraftStore['write']>): Promise<void> {
      if (isFull) throw full;
      await super.write(...draft);
    }
  }
  const cached = new FullDraftStore(databases.chat, createSealer(keyring), caches);
  const place = { accountId: bob.id, groupId: 1, thread: 0 };
  const dependencies = { drafts: cached, messages, publish };
  await keepDraft(dependencies, await open(bob), { content: 'kept' });
  isFull = true;
  await assert.rejects(keepDraft(dependencies, await open(bob), { content: 'lost' }), {
    code: 'SQLITE_FULL',
  });
  assert.equal(await cached.read(place), 'kept');
  isFull = false;
  await keepDraft(dependencies, await open(bob), { content: 'newer' });
  assert.equal(await cached.read(place), 'newer');
  assert.equal((await databases.chat.all((orm) => orm.select().from(draftRows))).length, 1);
});
