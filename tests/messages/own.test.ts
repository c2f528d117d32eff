import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { newPerson, type Visitor } from '../support/client.ts';
import { ON_SQLITE, startHearth } from '../support/hearth.ts';

const say = (person: Visitor, content: string, more: Record<string, string> = {}) =>
  person.post('/groups/1/messages', { content, ...more });

/** How many threads the link at the side says have unread replies. */
function unreadThreads(page: string): number {
  return Number(/id="threads-link".*?(\d+) with unread/.exec(page)?.[1] ?? 0);
}

test('threads that one begins or answers are followed, their unread replies marked, until one leaves them alone', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const jo = await newPerson(hearth.url, 'joe', 1);
  const eve = await newPerson(hearth.url, 'eve', 1);
  await say(ada, 'who brings soup?');
  const overview = await ada.socket('/ws', { protocol: 'hearth.html' });
  await say(jo, 'I do', { replyTo: '1' });
  await overview.next((text) => text.includes('id="threads-link"') && text.includes('1 with unread replies'));
  assert.equal(unreadThreads((await ada.get('/groups')).body), 1);
  assert.equal(unreadThreads((await eve.get('/groups')).body), 0, 'a thread that one has no part in');
  const list = await ada.get('/threads');
  assert.match(list.body, /is-unread[\s\S]*href="\/groups\/1\/threads\/1"[\s\S]*1 new/);

  // Read in the thread, and read in the conversation.
  await ada.get('/groups/1/threads/1');
  assert.equal(unreadThreads((await ada.get('/groups')).body), 0);
  await say(jo, 'and bread', { replyTo: '1' });
  assert.equal(unreadThreads((await ada.get('/threads')).body), 1);
  await ada.get('/groups/1');
  assert.equal(unreadThreads((await ada.get('/threads')).body), 0);

  assert.match((await ada.get('/groups/1/threads/1')).body, /Unfollow/);
  await ada.post('/groups/1/threads/1/follow', { on: 'no' });
  await say(jo, 'and butter', { replyTo: '1' });
  assert.equal(unreadThreads((await ada.get('/threads')).body), 0);
  assert.doesNotMatch((await ada.get('/threads')).body, /threads\/1"/);
  await eve.post('/groups/1/threads/1/follow', { on: 'yes' });
  await say(jo, 'and salt', { replyTo: '1' });
  assert.equal(unreadThreads((await eve.get('/threads')).body), 1, 'whoever wants to may follow');
  await eve.post('/groups/1/leave');
  assert.doesNotMatch(
    (await eve.get('/threads')).body,
    /threads\/1"/,
    'of a group that was left nothing is shown',
  );
  assert.equal((await eve.post('/groups/1/threads/1/follow', { on: 'yes' })).status, 403);
  assert.equal((await ada.post('/groups/1/threads/99/follow', { on: 'yes' })).status, 404);
});

test('who has seen a message is shown to those who show theirs, and to nobody else', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const jo = await newPerson(hearth.url, 'joe', 1);
  const eve = await newPerson(hearth.url, 'eve', 1);
  await say(ada, 'hello');
  const html = await ada.socket('/ws/chat/1', { protocol: 'hearth.html' });
  const json = await ada.socket('/ws/chat/1');
  await jo.get('/groups/1');
  assert.deepEqual(await json.nextJson('seen', (frame) => (frame.accountIds as number[]).length > 0), {
    type: 'seen',
    seq: 1,
    accountIds: [2],
  });
  await html.next((text) => text.includes('id="seen"') && text.includes('Seen by joe'));
  const sheet = () => ada.get('/groups/1/messages/1', { 'hx-request': 'true' });
  assert.match((await sheet()).body, /Seen by<\/h2>\s*<p><bdi>joe<\/bdi><\/p>/);

  // Who hides it is seen by nobody, and sees nobody.
  await eve.post('/account/receipts', {});
  await eve.get('/groups/1');
  assert.doesNotMatch((await sheet()).body, /\beve\b/);
  assert.doesNotMatch((await eve.get('/groups/1')).body, /Seen by/);
  assert.doesNotMatch((await eve.get('/groups/1/messages/1')).body, /Seen by/);
  const hidden = await eve.socket('/ws/chat/1');
  const shown = await jo.socket('/ws/chat/1');
  await say(ada, 'again');
  await jo.get('/groups/1');
  await shown.nextJson('seen', (frame) => frame.seq === 2 && (frame.accountIds as number[]).includes(2));
  assert.deepEqual(hidden.all('seen'), []);
  await eve.post('/account/receipts', { shows: 'yes' });
  assert.match((await sheet()).body, /<bdi>(?:joe<\/bdi>, <bdi>eve|eve<\/bdi>, <bdi>joe)</);
});

test('a pin is for everybody, at form and socket, a change of the message, and gone with it', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const jo = await newPerson(hearth.url, 'joe', 1);
  const stranger = await newPerson(hearth.url, 'stranger');
  await say(ada, 'the door code');
  const socket = await jo.socket('/ws/chat/1');
  const page = await jo.socket('/ws/chat/1', { protocol: 'hearth.html' });
  await ada.post('/groups/1/messages/1/pin', { on: 'yes' });
  await page.next((text) => /id="pins" data-live="replace" href="\/groups\/1\/pins"><.*> 1</.test(text));
  assert.deepEqual((await socket.nextJson('message', (frame) => frame.pinned === true)).change, 2);
  assert.match((await jo.get('/groups/1/pins')).body, /the door code/);
  assert.match((await jo.get('/groups/1')).body, /1<span class="words"> pinned/);
  socket.send({ type: 'pin', seq: 1, on: true });
  assert.equal((await socket.nextJson('ack')).change, 2, 'once more changes nothing');
  socket.send({ type: 'pin', seq: 1, on: false });
  assert.equal((await socket.nextJson('message')).pinned, false);
  assert.equal((await stranger.post('/groups/1/messages/1/pin', { on: 'yes' })).status, 403);
  assert.equal((await stranger.get('/groups/1/pins')).status, 403);
  assert.equal((await ada.post('/groups/1/messages/1/pin', { on: 'perhaps' })).status, 400);
  await ada.post('/groups/1/messages/1/pin', { on: 'yes' });
  await ada.post('/groups/1/messages/1/remove');
  await page.next((text) => /id="pins" [^>]* hidden>/.test(text));
  assert.match((await jo.get('/groups/1/pins')).body, /Nothing here yet/);
  await say(ada, 'x');
  for (let index = 0; index < 54; index++) await say(ada, `number ${index}`);
  for (let seq = 3; seq < 52; seq++) await ada.post(`/groups/1/messages/${seq}/pin`, { on: 'yes' });
  // One more is left, and several ask for it at the same moment.
  for (let seq = 52; seq < 57; seq++) socket.send({ type: 'pin', seq, on: true, id: `pin ${seq}` });
  const answers = [];
  for (let seq = 52; seq < 57; seq++)
    answers.push((await socket.next((text) => text.includes(`"id":"pin ${seq}"`))).includes('too_many_pins'));
  assert.deepEqual(answers, [false, true, true, true, true]);
  const full = await ada.post('/groups/1/messages/2/pin', { on: 'yes' }, { 'hx-request': 'true' });
  assert.deepEqual([full.status, /at most 50 pins/.test(full.body)], [409, true]);
});

test('a thread and the conversation that begin and end alike are two things', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const jo = await newPerson(hearth.url, 'joe', 1);
  await say(ada, 'the first one');
  await say(jo, 'in the middle');
  await say(ada, 'the reply', { replyTo: '1' });
  await jo.get('/groups/1');
  const thread = await jo.get('/groups/1/threads/1');
  const conversation = await jo.get('/groups/1');
  assert.ok(!thread.body.includes('in the middle') && conversation.body.includes('in the middle'));
});

test('a page that is kept for later is not read by that', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const jo = await newPerson(hearth.url, 'joe', 1);
  await say(ada, 'hello');
  assert.match((await jo.get('/groups/1', { 'hearth-keep': 'yes' })).body, /hello/);
  assert.match((await jo.get('/groups')).body, /id="group-1"[^>]*data-unread="1"/);
});

test('a saved message is one’s own, and shown as long as one may read it', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const jo = await newPerson(hearth.url, 'joe', 1);
  await say(ada, 'worth keeping');
  assert.equal((await jo.post('/groups/1/messages/1/save', { on: 'yes' })).status, 303);
  assert.match((await jo.get('/saved')).body, /worth keeping/);
  assert.doesNotMatch((await ada.get('/saved')).body, /worth keeping/);
  await jo.post('/groups/1/leave');
  assert.doesNotMatch((await jo.get('/saved')).body, /worth keeping/);
  await jo.post('/groups/1/join');
  assert.match((await jo.get('/saved')).body, /worth keeping/);
  const back = await jo.post('/groups/1/messages/1/save', { on: 'no', back: 'saved' });
  assert.equal(back.location, '/saved');
  assert.match((await jo.get('/saved')).body, /Nothing here yet/);
});

test(
  'a draft waits on the server, sealed, for each group and thread, until it is sent',
  ON_SQLITE,
  async (t) => {
    const hearth = await startHearth(t);
    const ada = await newPerson(hearth.url, 'ada', 1, 2);
    await say(ada, 'first');
    const draft = (content: string, thread = '') => ada.post('/groups/1/draft', { content, thread });
    assert.equal((await draft('half a canaryword')).status, 204);
    await draft('of the thread', '1');
    const typed = async (path: string) => /<textarea[^>]*>([^<]*)</.exec((await ada.get(path)).body)?.[1];
    assert.equal(await typed('/groups/1'), 'half a canaryword');
    assert.equal(await typed('/groups/1/threads/1'), 'of the thread');
    assert.equal(await typed('/groups/2'), '');
    for (const file of ['chat.sqlite3', 'chat.sqlite3-wal'])
      assert.ok(!readFileSync(join(hearth.dataDir, file)).includes('canaryword'));
    await say(ada, 'half a canaryword, whole now');
    assert.equal(await typed('/groups/1'), '');
    assert.equal(await typed('/groups/1/threads/1'), 'of the thread');
    await draft('half of another');
    await ada.post('/groups/1/messages', { content: 'written long ago' }, { 'hx-request': 'true' });
    assert.equal(await typed('/groups/1'), 'half of another', 'what an outbox sends leaves it alone');
    assert.equal((await draft('nowhere', '99')).status, 404);
    assert.equal((await draft('a reply is no thread', '77')).status, 404);
    await draft('', '1');
    assert.equal(await typed('/groups/1/threads/1'), '');
    assert.equal((await draft('x'.repeat(40_001))).status, 400);
    const stranger = await newPerson(hearth.url, 'stranger');
    assert.equal((await stranger.post('/groups/1/draft', { content: 'x' })).status, 403);
  },
);

test('a thread that is read elsewhere is counted no more on open pages, nor after they were away', async (t) => {
  const { url } = await startHearth(t);
  const ada = await newPerson(url, 'ada', 1);
  const joe = await newPerson(url, 'joe', 1);
  await joe.post('/groups/1/messages', { content: 'root' });
  const reply = () => ada.post('/groups/1/messages', { content: 'a reply', replyTo: '1', thread: '1' });
  const counts = (number: number) => (text: string) =>
    text.includes('id="threads-link"') && unreadThreads(text) === number;
  const tab = await joe.socket('/ws', { protocol: 'hearth.html' });
  await reply();
  await tab.next(counts(1));
  await joe.get('/groups/1/threads/1');
  await tab.next(counts(0));
  await reply();
  await tab.next(counts(1));
  tab.close();
  await joe.get('/groups/1/threads/1');
  const back = await joe.socket('/ws', { protocol: 'hearth.html' });
  await back.next(counts(0));
});

test('an @all that an edit adds calls nobody; a name that it adds does', async (t) => {
  const { url } = await startHearth(t);
  const ada = await newPerson(url, 'ada', 1);
  const joe = await newPerson(url, 'joe', 1);
  await ada.post('/groups/1/messages', { content: 'plain' });
  await ada.post('/groups/1/messages/1/edit', { content: 'plain @all' });
  const body = (page: string) => /<div class="body">[\s\S]*?<\/div>/.exec(page)?.[0] ?? '';
  assert.doesNotMatch(body((await joe.get('/groups/1')).body), /mention/);
  await ada.post('/groups/1/messages/1/edit', { content: 'plain @joe' });
  assert.match(body((await joe.get('/groups/1')).body), /mention/);
});
