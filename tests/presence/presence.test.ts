import assert from 'node:assert/strict';
import test from 'node:test';
import { createPresence, type PresenceChange } from '../../src/presence/track.ts';
import { newPerson } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';

const person = (id: number, address = '192.0.2.1') => ({
  account: {
    id,
    username: `person ${id}`,
    isAdmin: false,
    sessionEpoch: 1,
    createdAt: 0,
    line: '',
    pictureVersion: 0,
    displayName: '',
    name: `person ${id}`,
    showsReceipts: true,
    quiet: null,
    spokenLanguage: null,
    showsSeconds: false,
    suspendedAt: null,
    renamedAt: null,
    isGuest: false,
    isBot: false,
    hasPreviews: true,
  },
  address,
});
const soon = (ms = 60) => new Promise((resolve) => setTimeout(resolve, ms));

test('two tabs are one person, who leaves with the last of them', async () => {
  const changes: PresenceChange[] = [];
  const presence = createPresence((change) => changes.push(change), 20);
  const [one, two] = [person(1), person(1)];
  presence.enter('here', one);
  presence.enter('here', two);
  presence.leave('here', one);
  await soon();
  assert.equal(presence.at('here').length, 1);
  presence.leave('here', two);
  await soon();
  assert.equal(presence.at('here').length, 0);
  assert.deepEqual(
    changes.map((change) => [change.joined?.id, change.left?.id]),
    [
      [1, undefined],
      [undefined, 1],
    ],
  );
});

test('whoever is back within the grace never left', async () => {
  const changes: PresenceChange[] = [];
  const presence = createPresence((change) => changes.push(change), 40);
  const [before, after] = [person(1), person(1)];
  presence.enter('here', before);
  presence.leave('here', before);
  presence.enter('here', after);
  await soon(100);
  assert.equal(changes.length, 1);
  presence.leave('here', after);
  await soon(100);
  assert.equal(presence.at('here').length, 0);
});

test('the address that came last is the one that is shown', () => {
  const presence = createPresence(() => {});
  const [home, away] = [person(1, '192.0.2.1'), person(1, '2001:db8::7')];
  presence.enter('here', home);
  presence.enter('here', away);
  assert.equal(presence.at('here')[0]?.address, '2001:db8::7');
  presence.leave('here', away);
  assert.equal(presence.at('here')[0]?.address, '192.0.2.1');
});

test('presence and unread counts are pushed to those whom they concern', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const jo = await newPerson(hearth.url, 'joe', 1);

  await t.test('joining and leaving a conversation', async () => {
    const socket = await ada.socket('/ws/chat/1');
    await socket.nextJson('presence');
    const two = await jo.socket('/ws/chat/1');
    const both = await socket.nextJson('presence', (frame) => (frame.users as unknown[]).length === 2);
    assert.deepEqual(both.users, [
      { id: 1, username: 'ada', name: 'ada', ip: '127.0.0.1' },
      { id: 2, username: 'joe', name: 'joe', ip: '127.0.0.1' },
    ]);
    two.close();
    await socket.nextJson('presence', (frame) => (frame.users as unknown[]).length === 1);
    socket.close();
  });

  await t.test('"joe joined" and "joe left" as lines for browsers, kept nowhere', async () => {
    const socket = await ada.socket('/ws/chat/1', { protocol: 'hearth.html' });
    const two = await jo.socket('/ws/chat/1');
    await socket.next((text) => text.includes('joe joined'));
    two.close();
    await socket.next((text) => text.includes('joe left'));
    assert.ok(!(await ada.get('/groups/1')).body.includes('joe joined'));
    socket.close();
  });

  await t.test('what others write counts as unread in every tab, until it is read in one', async () => {
    const tabs = [await ada.socket('/ws'), await ada.socket('/ws')];
    const writer = await jo.socket('/ws');
    await jo.post('/groups/1/messages', { content: 'one' });
    await jo.post('/groups/1/messages', { content: 'two' });
    for (const tab of tabs)
      await tab.nextJson('unread', (frame) => frame.groupId === 1 && frame.unread === 2);
    assert.match((await ada.get('/groups')).body, /data-group-id="1" data-unread="2"/);
    const reader = await ada.socket('/ws/chat/1');
    reader.send({ type: 'read', seq: 1 });
    for (const tab of tabs) await tab.nextJson('unread', (frame) => frame.unread === 1);
    reader.send({ type: 'read', seq: 999 });
    for (const tab of tabs) await tab.nextJson('unread', (frame) => frame.unread === 0);
    reader.send({ type: 'read', seq: 1 });
    await jo.post('/groups/1/messages', { content: 'three' });
    await tabs[0]?.nextJson('unread', (frame) => frame.unread === 1);
    assert.deepEqual(
      writer.all('unread').filter((frame) => Number(frame.unread) > 0),
      [],
      'one’s own messages are not unread',
    );
    for (const socket of [...tabs, writer, reader]) socket.close();
  });

  await t.test('a new group is in everyone’s list, and a renamed one under its new name', async () => {
    const socket = await jo.socket('/ws');
    const { location } = await ada.post('/groups', { name: 'Garden' });
    const id = Number(location.split('/').pop());
    assert.deepEqual(await socket.nextJson('group'), { type: 'group', id, name: 'Garden' });
    await ada.post(`/groups/${id}/rename`, { name: 'Flower beds' });
    await socket.nextJson('group', (frame) => frame.id === id && frame.name === 'Flower beds');
    socket.close();
  });
});

test('addresses are shown to whom SHOW_ADDRESSES says', async (t) => {
  for (const [setting, seen] of [
    ['everyone', [true, true]],
    ['admins', [true, false]],
    ['nobody', [false, false]],
  ] as const) {
    const hearth = await startHearth(t, { env: { SHOW_ADDRESSES: setting } });
    const boss = await newPerson(hearth.url, 'boss', 1);
    const member = await newPerson(hearth.url, 'member', 1);
    const sockets = [await boss.socket('/ws/chat/1'), await member.socket('/ws/chat/1')];
    const shown = [];
    for (const socket of sockets)
      shown.push(JSON.stringify(await socket.nextJson('presence')).includes('127.0.0.1'));
    assert.deepEqual(shown, seen, setting);
    const pages = [await boss.get('/groups/1'), await member.get('/groups/1')].map(({ body }) =>
      body.includes('class="address"'),
    );
    assert.deepEqual(pages, seen, `${setting}, on pages`);
    await hearth.stop();
  }
});
