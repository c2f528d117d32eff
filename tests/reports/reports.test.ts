import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { ON_SQLITE, startHearth } from '../support/hearth.ts';
import { countRows } from '../support/rows.ts';
import { until } from '../support/until.ts';

/** Ada administrates and is not in the group, joe owns it, kim and mina are members, zoe is elsewhere. */
async function people(url: string) {
  const ada = await newPerson(url, 'ada');
  const joe = await newPerson(url, 'joe');
  await joe.post('/groups', { name: 'Garden' });
  const kim = await newPerson(url, 'kim', 3);
  const mina = await newPerson(url, 'mina', 3);
  await joe.post('/groups/3/rules', { access: 'closed', posting: 'members' });
  const zoe = await newPerson(url, 'zoe');
  await mina.post('/groups/3/messages', { content: 'a nasty remark' });
  return { ada, joe, kim, mina, zoe };
}

test('a report shows its message to administrators and owners, to nobody else, and is answered once', async (t) => {
  const hearth = await startHearth(t);
  const { ada, joe, kim, mina, zoe } = await people(hearth.url);
  assert.match((await kim.get('/groups/3/messages/1/report')).body, /a nasty remark/);
  const sent = await kim.post('/groups/3/messages/1/report', { reason: 'This hurts' });
  assert.equal(sent.location, '/groups/3?reported=#message-1');
  assert.equal(
    (await kim.post('/groups/3/messages/1/report', { reason: 'again' })).status,
    303,
    'once counts',
  );
  for (const person of [ada, joe]) {
    const { body } = await person.get('/reports');
    assert.match(body, /kim reports a message in Garden[\s\S]*This hurts[\s\S]*a nasty remark/);
    assert.match((await person.get('/groups')).body, /class="group-name">Reports/);
  }
  for (const person of [kim, mina, zoe]) {
    assert.doesNotMatch((await person.get('/reports')).body, /This hurts|a nasty remark/);
    assert.doesNotMatch((await person.get('/groups')).body, /class="group-name">Reports/);
    assert.equal((await person.post('/reports/1/answer', { remove: 'yes' })).status, 403);
  }
  assert.equal((await new Visitor(hearth.url).post('/reports/1/answer', { remove: 'yes' })).status, 401);

  const socket = await mina.socket('/ws/chat/3');
  const answers = await Promise.all([
    ada.post('/reports/1/answer', { remove: 'yes', reason: 'Be kind here' }),
    joe.post('/reports/1/answer', { remove: 'no' }),
  ]);
  assert.deepEqual(answers.map((answer) => answer.status).toSorted(), [303, 409]);
  assert.doesNotMatch((await ada.get('/reports')).body, /This hurts/);
  if (answers[0]?.status === 303) {
    const frame = await socket.nextJson('message', (message) => message.removed === true);
    assert.deepEqual([frame.content, frame.removedBecause], ['', 'Be kind here']);
    assert.match((await kim.get('/groups/3')).body, /This message was removed: Be kind here/);
    assert.match((await ada.get('/admin/log')).body, /removed, after a report,[\s\S]*message 1 of group 3/);
  }
});

test('a report keeps what the message said, though its author edits or removes it, until it is answered', async (t) => {
  const hearth = await startHearth(t);
  const { ada, kim, mina } = await people(hearth.url);
  await kim.post('/groups/3/messages/1/report', { reason: 'This hurts' });
  const before = (await ada.get('/reports')).body;
  assert.doesNotMatch(before, /When it was reported, it said/, 'it still says so');
  await mina.post('/groups/3/messages/1/edit', { content: 'a kind word' });
  const edited = (await ada.get('/reports')).body;
  assert.match(edited, /a kind word[\s\S]*When it was reported, it said:[\s\S]*a nasty remark/);
  await mina.post('/groups/3/messages/1/remove');
  const removed = (await ada.get('/reports')).body;
  assert.match(removed, /When it was reported, it said:[\s\S]*a nasty remark[\s\S]*It was removed/);
  for (const person of [kim, mina])
    assert.doesNotMatch((await person.get('/groups/3')).body, /a nasty remark/);
  const kept = () => countRows(hearth.dataDir, 'chat', 'reports', 'content IS NOT NULL');
  assert.equal(await kept(), 1);
  await ada.post('/reports/1/answer', { remove: 'no' });
  assert.equal(await kept(), 0);
});

test('what was answered can be reported again, and open pages know what waits', async (t) => {
  const hearth = await startHearth(t);
  const { ada, joe, kim, mina } = await people(hearth.url);
  await kim.post('/groups/3/messages/1/report', { reason: 'first' });
  await ada.post('/reports/1/answer', { remove: 'no' });
  await mina.post('/groups/3/messages/1/edit', { content: 'worse than before' });
  await kim.post('/groups/3/messages/1/report', { reason: 'second' });
  assert.match((await ada.get('/reports')).body, /second[\s\S]*worse than before/);
  const link = (count: number) => (text: string) =>
    text.includes('id="reports-link"') && text.includes(`data-unread="${count}"`);
  const ofKim = await kim.socket('/ws', { protocol: 'hearth.html' });
  await joe.post('/groups/3/make-owner', { accountId: '3' });
  await ofKim.next(link(1));
  await joe.post('/groups/3/remove-owner', { accountId: '3' });
  await ofKim.next(link(0));
  const ofAda = await ada.socket('/ws', { protocol: 'hearth.html' });
  await joe.post('/groups/3/delete-group', { confirmation: 'Garden' });
  await ofAda.next(link(0));
});

test('a report and a request to join that go with an account are waited for no longer', async (t) => {
  const hearth = await startHearth(t);
  const { ada, joe, kim, zoe } = await people(hearth.url);
  await kim.post('/groups/3/messages/1/report', { reason: 'This hurts' });
  await zoe.post('/groups/3/ask');
  const ofAda = await ada.socket('/ws', { protocol: 'hearth.html' });
  const ofJoe = await joe.socket('/ws', { protocol: 'hearth.html' });
  for (const person of [kim, zoe])
    await person.post('/account/delete', { password: PASSWORD, messages: 'remove' });
  await ofAda.next((text) => /id="reports-link"[^>]*data-unread="0"/.test(text));
  await ofJoe.next((text) => /id="requests-3"[^>]*hidden/.test(text));
});

test('who deletes the account with the messages leaves no words in a report', async (t) => {
  const hearth = await startHearth(t);
  const { ada, kim, mina } = await people(hearth.url);
  await kim.post('/groups/3/messages/1/report', { reason: 'This hurts' });
  await mina.post('/account/delete', { password: PASSWORD, messages: 'remove' });
  await until(async () => !/a nasty remark/.test((await ada.get('/reports')).body));
  assert.match((await ada.get('/reports')).body, /This hurts/);
});

test('one reports what one can read, not one’s own, and says why', async (t) => {
  const hearth = await startHearth(t);
  const { kim, mina, zoe } = await people(hearth.url);
  assert.equal((await mina.post('/groups/3/messages/1/report', { reason: 'mine' })).status, 403);
  assert.equal((await zoe.post('/groups/3/messages/1/report', { reason: 'x' })).status, 403);
  assert.equal((await zoe.get('/groups/3/messages/1/report')).status, 403);
  assert.equal((await kim.post('/groups/3/messages/9/report', { reason: 'x' })).status, 404);
  const long = 'x'.repeat(501);
  const refused = await kim.post('/groups/3/messages/1/report', { reason: long });
  assert.deepEqual([refused.status, /1 to 500 characters/.test(refused.body)], [400, true]);
  assert.ok(refused.body.includes(long), 'what was typed is still there');
});

test(
  'owners remove what others wrote, with a reason, and a reason of one’s own message is not kept',
  ON_SQLITE,
  async (t) => {
    const hearth = await startHearth(t, { env: { EDIT_LIMIT_MINUTES: '1' } });
    const { joe, kim, mina } = await people(hearth.url);
    assert.equal((await kim.post('/groups/3/messages/1/remove', { reason: 'x' })).status, 403);
    assert.equal((await joe.post('/groups/3/messages/1/remove', { reason: 'x'.repeat(251) })).status, 400);
    assert.equal((await joe.post('/groups/3/messages/1/remove', { reason: 'Not here' })).status, 303);
    assert.match((await mina.get('/groups/3')).body, /This message was removed: Not here/);
    await mina.post('/groups/3/messages', { content: 'oops' });
    await mina.post('/groups/3/messages/2/remove', { reason: 'my secret reason' });
    assert.doesNotMatch((await joe.get('/groups/3')).body, /my secret reason/);
    for (const file of ['chat.sqlite3', 'chat.sqlite3-wal'])
      assert.ok(!readFileSync(join(hearth.dataDir, file)).includes('Not here'), 'sealed');
  },
);

test('whoever wrote what is reported does not learn of it, though they own the group or administrate', async (t) => {
  const hearth = await startHearth(t);
  const { ada, joe, kim } = await people(hearth.url);
  await joe.post('/groups/3/messages', { content: 'written by the owner' });
  await kim.post('/groups/3/messages/2/report', { reason: 'From its owner' });
  assert.doesNotMatch((await joe.get('/reports')).body, /From its owner/);
  assert.doesNotMatch((await joe.get('/groups')).body, /class="group-name">Reports/);
  assert.equal((await joe.post('/reports/1/answer', { remove: 'no' })).status, 404);
  assert.match((await ada.get('/reports')).body, /kim reports a message in Garden[\s\S]*From its owner/);
  await ada.post('/groups/1/join');
  await joe.post('/groups/1/join');
  await ada.post('/groups/1/messages', { content: 'written by an administrator' });
  await joe.post('/groups/1/messages/1/report', { reason: 'From above' });
  assert.doesNotMatch((await ada.get('/reports')).body, /From above/);
});
