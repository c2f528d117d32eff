import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test, { type TestContext } from 'node:test';
import { messages as messageRows, revisions } from '../../src/database/tables/chat.ts';
import { openGroup } from '../../src/groups/access.ts';
import { createGroup } from '../../src/groups/create.ts';
import { joinGroup } from '../../src/groups/join.ts';
import { isMentionUnread, unreadOf } from '../../src/groups/present.ts';
import { createViews } from '../../src/http/views.ts';
import { editMessage } from '../../src/messages/edit.ts';
import { messagesChanged, messagesSent } from '../../src/messages/events.ts';
import type { Message } from '../../src/messages/message.ts';
import { MessagePresenter } from '../../src/messages/present.ts';
import { emoji, reactTo } from '../../src/messages/react.ts';
import { removeMessage } from '../../src/messages/remove.ts';
import { sendMessage } from '../../src/messages/send.ts';
import { markUnread } from '../../src/receipts/mark-unread.ts';
import { openStores } from '../support/stores.ts';
import { until } from '../support/until.ts';

async function garden(t: TestContext) {
  const stores = await openStores(t);
  const [ada, jo, admin] = [
    await stores.account('ada'),
    await stores.account('joe'),
    await stores.account('root', true),
  ];
  const group = await createGroup(stores, ada, { name: 'Garden' });
  for (const account of [jo, admin]) await joinGroup(stores, account, group.id);
  const open = (account = ada) => openGroup(stores.groups, account, group.id);
  const deps = { ...stores, editLimitMs: undefined as number | undefined };
  return {
    ...stores,
    ada,
    jo,
    admin,
    group,
    open,
    send: async (
      content: string,
      account = ada,
      more: { replyTo?: number; confirmed?: boolean } = {},
      now?: number,
    ) => sendMessage(stores, await open(account), { id: randomUUID(), content, ...more }, now),
    edit: async (seq: number, content: string, account = ada, editLimitMs?: number, now?: number) =>
      editMessage({ ...deps, editLimitMs }, await open(account), seq, { content }, now),
    remove: async (seq: number, account = ada, editLimitMs?: number, now?: number) =>
      removeMessage({ ...deps, editLimitMs }, await open(account), seq, {}, now),
    react: async (seq: number, emoji: string, account = ada, on?: boolean) =>
      reactTo(stores, await open(account), seq, { emoji, ...(on !== undefined && { on }) }),
    presenter: new MessagePresenter(
      createViews('/assets/test'),
      stores.accounts,
      stores.messages,
      stores.texts,
      stores.caches,
    ),
  };
}

test('an edit changes what a message says, keeps what it said, and is a new change of an old message', async (t) => {
  const { send, edit, messages, group, recordEvents } = await garden(t);
  await send('frist');
  await send('second');
  const changed = recordEvents(messagesChanged);
  const sent = recordEvents(messagesSent);
  const edited = await edit(1, 'first', undefined, undefined, 5_000);
  assert.deepEqual([edited.seq, edited.change, edited.content, edited.editedAt], [1, 3, 'first', 5_000]);
  await edit(1, 'the first');
  assert.deepEqual(
    (await messages.revisions(edited)).map((revision) => revision.content),
    ['frist', 'first'],
  );
  assert.deepEqual(
    (await messages.changedAfter(group.id, 2, 10)).map((message) => [message.change, message.content]),
    [[4, 'the first']],
  );
  assert.deepEqual(changed, [
    { groupId: group.id, messages: [{ seq: 1, change: 3 }] },
    { groupId: group.id, messages: [{ seq: 1, change: 4 }] },
  ]);
  assert.deepEqual(sent, [], 'nothing new was sent');
  assert.equal((await edit(1, 'the first')).change, 4, 'the same text changes nothing');
});

test('only its author edits a message, within the limit, and not to nothing', async (t) => {
  const { send, edit, remove, jo, admin } = await garden(t);
  await send('mine', undefined, {}, 0);
  await assert.rejects(edit(1, 'ours', jo), { status: 403 });
  await assert.rejects(edit(1, 'ours', admin), { status: 403 });
  await assert.rejects(edit(1, ' '), { code: 'empty' });
  await assert.rejects(edit(1, 'x'.repeat(8_001)), { code: 'too_long' });
  await assert.rejects(edit(9, 'nothing there'), { status: 404 });
  assert.equal((await edit(1, 'in time', undefined, 60_000, 60_000)).content, 'in time');
  await assert.rejects(edit(1, 'too late', undefined, 60_000, 60_001), { status: 403, message: /too old/ });
  await send('by joe', jo, {}, 0);
  await assert.rejects(remove(2, jo, 60_000, 60_001), { status: 403, message: /too old/ });
  assert.ok((await remove(2, undefined, 60_000, 60_001)).removedAt, 'an owner may at any time');
  assert.ok((await remove(1, admin, 60_000, 60_001)).removedAt, 'so may an administrator');
  await assert.rejects(edit(1, 'back again'), { status: 404 });
});

test('a removed message leaves its place and nothing of what it said', async (t) => {
  const { send, edit, react, remove, messages, presenter, databases, jo } = await garden(t);
  await send('a slip of the tongue');
  await edit(1, 'another slip');
  await react(1, '👍', jo);
  await assert.rejects(remove(1, jo), { status: 403 });
  await assert.rejects(remove(7), { status: 404 });
  const removed = await remove(1);
  assert.equal(removed.content, '');
  assert.deepEqual(removed.reactions, []);
  assert.equal((await remove(1)).change, removed.change, 'once more changes nothing');
  assert.deepEqual(await messages.revisions(removed), []);
  assert.deepEqual(await databases.chat.all((orm) => orm.select().from(revisions)), []);
  const html = await presenter.fragment(removed, undefined);
  assert.match(html, /This message was removed\./);
  assert.doesNotMatch(html, /slip|👍|data-more/);
  await assert.rejects(react(1, '👍'), { status: 404 });
  await assert.rejects(send('an answer', undefined, { replyTo: 1 }), { status: 404 });
});

test('an answer belongs to the thread of what it answers, whose first message counts it', async (t) => {
  const { send, messages, group, presenter, edit } = await garden(t);
  await send('root');
  await send('beside it');
  const first = await send('one', undefined, { replyTo: 1 });
  const second = await send('two', undefined, { replyTo: 3 });
  assert.deepEqual([first.replyTo, first.thread, second.replyTo, second.thread], [1, 1, 3, 1]);
  assert.equal((await messages.bySeq(group.id, 1))?.replyCount, 2);
  assert.deepEqual(
    (await messages.inThread(group.id, 1, 10)).map((message) => message.content),
    ['one', 'two'],
  );
  const changes = (await messages.changedAfter(group.id, 0, 10)).map((message) => [
    message.change,
    message.seq,
  ]);
  assert.deepEqual(changes, [
    [2, 2],
    [3, 3],
    [5, 4],
    [6, 1],
  ]);
  await assert.rejects(send('to nothing', undefined, { replyTo: 99 }), { status: 404 });

  const quoteOf = async () =>
    /class="quote".*?<\/a>/.exec(await presenter.fragment(first, undefined))?.[0] ?? '';
  assert.match(await quoteOf(), /ada<\/span>:<\/span> <bdi>root</);
  await edit(1, 'the root');
  assert.match(await quoteOf(), /ada<\/span>:<\/span> <bdi>the root</, 'a quote says what was edited');
});

test('a reaction is put and taken back by its owner, counted with names, and is one emoji', async (t) => {
  const { send, react, presenter, jo, ada } = await garden(t);
  await send('seeds!');
  await react(1, '🌱');
  await react(1, '🌱', jo);
  let message: Message = await react(1, '👍🏽', jo);
  assert.deepEqual(message.reactions, [
    { emoji: '🌱', accountIds: [ada.id, jo.id] },
    { emoji: '👍🏽', accountIds: [jo.id] },
  ]);
  assert.match(
    await presenter.fragment(message, undefined),
    /value="🌱" data-account-ids="1 2" title="ada and joe"/,
  );
  const { change } = await react(1, '🌱', ada, true);
  assert.equal(change, message.change, 'putting it twice is putting it once');
  message = await react(1, '👍🏽', jo);
  assert.deepEqual(
    message.reactions.map((reaction) => reaction.emoji),
    ['🌱'],
  );
  for (const good of ['❤️', '👨‍👩‍👧‍👦', '🇩🇪', '1️⃣', '☺']) assert.ok(emoji.safeParse(good).success, good);
  for (const bad of ['', 'a', '1', '👍👍', '<b>', '🌱x', 'x'.repeat(1_000)])
    assert.ok(!emoji.safeParse(bad).success, bad);
});

test('two acts on one message at once both count, and every change is told in order', async (t) => {
  const { send, react, edit, recordEvents, group, jo } = await garden(t);
  await send('busy');
  const changed = recordEvents(messagesChanged);
  const results = await Promise.all([react(1, '🌱'), react(1, '👍', jo), edit(1, 'busier'), send('new')]);
  assert.equal(results[2]?.reactions.length, 2);
  const changes = changed.flatMap((event) => event.messages.map(({ change }) => change));
  assert.deepEqual(changes, [2, 3, 4, 5], 'in order');
  assert.equal(
    changed.every((event) => event.groupId === group.id),
    true,
  );
});

test('@name mentions members only; @all mentions everybody, and asks first above ten members', async (t) => {
  const { send, groups, joinRequests, presenter, open, jo, ada, group, account, publish } = await garden(t);
  const stranger = await account('stranger');
  const message = await send('Hi @JOE. And @stranger, ada@joe.example, `@joe` and @nobody');
  assert.deepEqual(message.mentions, [jo.id]);
  const html = await presenter.fragment(message, undefined);
  assert.match(html, /<span class="mention" data-mention="2">@JOE<\/span>\. And @stranger/);
  assert.equal(html.split('class="mention"').length, 2, 'neither in code nor in an address');
  const { membership } = await open(jo);
  assert.ok(isMentionUnread(membership));
  assert.ok(!isMentionUnread((await open(ada)).membership));
  assert.equal((await groups.membershipsOf(stranger.id)).size, 0);

  assert.ok((await send('@all come')).mentionsAll, 'few members need no confirmation');
  for (let number = 0; number < 9; number++)
    await joinGroup({ groups, joinRequests, publish }, await account(`person${number}`), group.id);
  await assert.rejects(send('@all come again'), { code: 'confirm_all', status: 409 });
  assert.ok((await send('@all come again', ada, { confirmed: true })).mentionsAll);
});

test('unread from here: the mark moves back to before a message', async (t) => {
  const { send, open, jo, groups, messages, publish, recordEvents } = await garden(t);
  for (const text of ['one', 'two', 'three']) await send(text);
  const { unreadChanged } = await import('../../src/groups/events.ts');
  const told = recordEvents(unreadChanged);
  await markUnread({ groups, messages, publish }, await open(jo), 2);
  const { group, membership } = await open(jo);
  assert.equal(unreadOf(group, membership), 2);
  assert.equal(told.length, 1);
  await assert.rejects(markUnread({ groups, messages, publish }, await open(jo), 9), { status: 404 });
});

test('Markdown as in chats: emphasis, code, lists, quotes and links; no HTML, no headings, no pictures', async (t) => {
  const { send, presenter } = await garden(t);
  const shown = async (content: string) =>
    /<div class="body">(.*?)<\/div>/s.exec(await presenter.fragment(await send(content), undefined))?.[1] ??
    '';
  assert.equal(
    await shown('**bold** _soft_ ~~gone~~ `x < 1`'),
    '<p><strong>bold</strong> <em>soft</em> <s>gone</s> <code>x &lt; 1</code></p>',
  );
  assert.match(await shown('one\ntwo'), /one<br>\s*two/);
  assert.match(await shown('- a\n- b'), /<ul dir="auto">\s*<li>a<\/li>/);
  assert.match(await shown('> said'), /<blockquote dir="auto">\s*<p>said/);
  // On a busy machine the time for colours may be over before the first ones are there.
  const coloured = /<code class="language-js"><span class="hljs-keyword">const/;
  await until(async () => coloured.test(await shown('```js\nconst a = 1;\n```')), 'code is coloured');
  assert.match(
    await shown('[here](https://example.com)'),
    /href="https:\/\/example\.com" target="_blank" rel="noopener noreferrer nofollow"/,
  );
  assert.equal(await shown('# no heading'), '<p># no heading</p>');
  for (const attack of [
    '<b>x</b>',
    '[x](javascript:alert(1))',
    '![x](https://evil.example/p.png)',
    '```"><img src=x>\nx\n```',
    '[x](data:text/html,x)',
  ]) {
    const html = await shown(attack);
    assert.doesNotMatch(html, /<b>|<img|href="(?:javascript|data)/i, attack);
  }
});

test('what people typed in acts is sealed: edits, versions, reactions', async (t) => {
  const { send, edit, react, databases } = await garden(t);
  await send('marigold');
  await edit(1, 'larkspur');
  await react(1, '🌻');
  const [message] = await databases.chat.all((orm) => orm.select().from(messageRows));
  const [revision] = await databases.chat.all((orm) => orm.select().from(revisions));
  for (const value of [message?.body, message?.metadata, revision?.body])
    for (const word of ['marigold', 'larkspur', '🌻']) assert.equal(value?.includes(word), false);
});
