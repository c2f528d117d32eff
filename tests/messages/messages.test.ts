import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test, { type TestContext } from 'node:test';
import { eq } from 'drizzle-orm';
import { messages as messageRows } from '../../src/database/tables/chat.ts';
import { openGroup } from '../../src/groups/access.ts';
import { createGroup } from '../../src/groups/create.ts';
import { joinGroup } from '../../src/groups/join.ts';
import { createViews } from '../../src/http/views.ts';
import { editMessage } from '../../src/messages/edit.ts';
import { messagesSent } from '../../src/messages/events.ts';
import { readHistory } from '../../src/messages/history.ts';
import { MessagePresenter } from '../../src/messages/present.ts';
import { sendMessage } from '../../src/messages/send.ts';
import { ON_SQLITE } from '../support/hearth.ts';
import { openStores } from '../support/stores.ts';

async function garden(t: TestContext) {
  const stores = await openStores(t);
  const [ada, jo] = [await stores.account('ada'), await stores.account('jo')];
  const group = await createGroup(stores, ada, { name: 'Garden' });
  await joinGroup(stores, jo, group.id);
  const send = async (content: string, account = ada, id: string = randomUUID(), now?: number) =>
    sendMessage(stores, await openGroup(stores.groups, account, group.id), { id, content }, now);
  return { ...stores, ada, jo, group, send, open: () => openGroup(stores.groups, ada, group.id) };
}

test(
  'numbers the messages of a group from 1 without a hole, also those that are written at once',
  ON_SQLITE,
  async (t) => {
    const { send, messages, group, recordEvents } = await garden(t);
    const sent = recordEvents(messagesSent);
    await Promise.all(Array.from({ length: 50 }, (_, index) => send(`message ${index}`)));
    const found = await messages.between(group.id, 1, 100);
    assert.deepEqual(
      found.map((message) => [message.seq, message.change, message.content]),
      Array.from({ length: 50 }, (_, index) => [index + 1, index + 1, `message ${index}`]),
    );
    assert.deepEqual(sent, [{ groupId: group.id, firstSeq: 1, lastSeq: 50 }], 'one commit, one event');
  },
);

test('a message that is sent twice is there once, at once or later', async (t) => {
  const { send, messages, group, ada, recordEvents } = await garden(t);
  const sent = recordEvents(messagesSent);
  const id = randomUUID();
  const both = await Promise.all([send('hello', ada, id), send('hello', ada, id)]);
  const later = await send('hello', ada, id.toUpperCase().toLowerCase());
  assert.deepEqual(
    [...both, later].map((message) => message.seq),
    [1, 1, 1],
  );
  assert.equal((await messages.between(group.id, 1, 100)).length, 1);
  assert.equal(sent.length, 1);
});

test('a long text whose mentions are looked for is not overtaken, when it is sent and when it is saved', async (t) => {
  const { send, messages, group, open, ...stores } = await garden(t);
  const long = `@jo ${'x '.repeat(400)}`;
  // The thread that reads long texts has started.
  await send(long);
  const sent = await Promise.all([send(long), send('at once')]);
  assert.deepEqual(
    sent.map((message) => message.seq),
    [2, 3],
  );
  const editing = { ...stores, groups: stores.groups, editLimitMs: undefined };
  await Promise.all([
    editMessage(editing, await open(), 2, { content: `older ${long}` }),
    editMessage(editing, await open(), 2, { content: 'newer' }),
  ]);
  assert.equal((await messages.bySeq(group.id, 2))?.content, 'newer');
  await assert.rejects(send(`@jo ${'x'.repeat(20_000)}`), /at most/, 'one that is refused');
  assert.equal((await send('holds up nobody')).seq, 4);
});

test('an id that is another’s message is refused, and tells nothing of it', async (t) => {
  const { send, ada, jo } = await garden(t);
  const id = randomUUID();
  await send('a secret of ada', ada, id);
  await assert.rejects(
    send('mine', jo, id),
    (error: Error & { code?: string }) => error.code === 'id_taken' && !error.message.includes('secret'),
  );
});

test('a message has 1 to 8,000 characters, counted as people count them', async (t) => {
  const { send } = await garden(t);
  await assert.rejects(send(''), { code: 'empty', status: 400 });
  await assert.rejects(send(' \n\t '), { code: 'empty' });
  await assert.rejects(send('\u200b\u2060'), { code: 'empty' });
  await assert.rejects(send('x'.repeat(8_001)), { code: 'too_long', status: 400 });
  await assert.rejects(send(`x${' '.repeat(100_000)}`), { code: 'too_long' });
  assert.equal((await send('🌱'.repeat(8_000))).content.length, 16_000);
});

test('keeps lines and spaces within, and drops blank lines around', async (t) => {
  const { send } = await garden(t);
  assert.equal((await send('\r\n  one\r\n\r\n  two  \r\n')).content, '  one\n\n  two');
  assert.equal((await send('a\ud800b\0c')).content, 'a\ufffdbc');
});

test('history comes in pages of 50, the nearest first, each in order', async (t) => {
  const { send, messages, open } = await garden(t);
  await Promise.all(Array.from({ length: 120 }, (_, index) => send(`message ${index + 1}`)));
  const seqs = async (where: object) => {
    const messagePage = await readHistory(messages, await open(), where);
    return [
      messagePage.messages[0]?.seq,
      messagePage.messages.at(-1)?.seq,
      messagePage.hasOlder,
      messagePage.hasNewer,
    ];
  };
  assert.deepEqual(await seqs({}), [71, 120, true, false]);
  assert.deepEqual(await seqs({ before: 71 }), [21, 70, true, true]);
  assert.deepEqual(await seqs({ before: 1_000 }), [71, 120, true, false], 'beyond the newest is the newest');
  assert.deepEqual(await seqs({ before: 21 }), [1, 20, false, true]);
  assert.deepEqual(await seqs({ around: 60 }), [36, 85, true, true]);
  assert.deepEqual(await seqs({ around: 118 }), [71, 120, true, false]);
});

test('catching up is everything that changed after what one has', async (t) => {
  const { send, messages, group } = await garden(t);
  for (const text of ['one', 'two', 'three']) await send(text);
  const after = async (change: number) =>
    (await messages.changedAfter(group.id, change, 10)).map((message) => message.content);
  assert.deepEqual(await after(0), ['one', 'two', 'three']);
  assert.deepEqual(await after(2), ['three']);
  assert.deepEqual(await after(3), []);
});

test('bodies are sealed in the file, and do not open in another row', async (t) => {
  const { send, messages, group, databases } = await garden(t);
  await send('rosebud');
  await send('marigold');
  const { chat } = databases;
  const row = await chat.get((orm) => orm.select().from(messageRows).where(eq(messageRows.seq, 1)));
  assert.ok(row && !row.body.includes('rosebud'));
  const { body } = row;
  await chat.run((orm) => orm.update(messageRows).set({ body }).where(eq(messageRows.seq, 2)));
  await assert.rejects(messages.between(group.id, 1, 10));
});

test('makes links of addresses and leaves everything else inert', async (t) => {
  const { send, accounts, messages, texts, caches, ada } = await garden(t);
  const presenter = new MessagePresenter(createViews('/assets/test'), accounts, messages, texts, caches);
  const shown = async (content: string) => presenter.fragment(await send(content, ada), undefined);
  assert.match(
    await shown('see https://example.com/a?b=1&c=2, please'),
    /<a href="https:\/\/example\.com\/a\?b=1&amp;c=2" target="_blank" rel="noopener noreferrer nofollow">/,
  );
  assert.match(await shown('www.example.com now'), /<a href="http:\/\/www\.example\.com"/);
  for (const attack of [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    'javascript:alert(1)',
    'data:text/html,x',
    '{{ 7*7 }}',
  ]) {
    const html = await shown(attack);
    assert.doesNotMatch(html, /<script|<img|href="javascript|href="data|>49</, attack);
  }
});

test('messages of one author within five minutes stand together; of another, or later, apart', async (t) => {
  const { send, accounts, messages, texts, caches, ada, jo } = await garden(t);
  const presenter = new MessagePresenter(createViews('/assets/test'), accounts, messages, texts, caches);
  const at = (minutes: number) => minutes * 60_000;
  const first = await send('one', ada, randomUUID(), at(0));
  const soon = await send('two', ada, randomUUID(), at(4));
  const other = await send('three', jo, randomUUID(), at(5));
  const late = await send('four', jo, randomUUID(), at(11));
  const continued = async (message: typeof first, previous?: typeof first) =>
    (await presenter.fragment(message, previous)).includes('is-continued');
  assert.deepEqual(
    [
      await continued(first),
      await continued(soon, first),
      await continued(other, soon),
      await continued(late, other),
    ],
    [false, true, false, false],
  );
});
