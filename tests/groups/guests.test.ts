import assert from 'node:assert/strict';
import test from 'node:test';
import { guestOf, newPerson, Visitor } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';

test('a guest sees the groups of the invitation and the people in them, and nothing else', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1, 2);
  await newPerson(hearth.url, 'canary', 2);
  const none = await ada.post('/invitations', { forGuests: 'yes' });
  assert.deepEqual([none.status, /Choose at least one/.test(none.body)], [400, true]);
  const gus = await guestOf(hearth.url, ada, 'gus', 1);
  assert.equal((await gus.get('/')).location, '/groups/1');
  await ada.post('/groups/1/messages', { content: 'Hello, @canary' });
  await ada.post('/groups/2/messages', { content: 'canary, hello in Random' });

  const pages = [
    '/groups',
    '/groups/1',
    '/groups/1/members',
    '/direct',
    '/search',
    '/search?q=hello',
    '/people/1',
    '/threads',
    '/saved',
  ];
  for (const path of [...pages, '/groups/2', '/invitations']) {
    const { body, status } = await gus.get(path);
    assert.doesNotMatch(
      body.replaceAll(/(?:<mark>)?Hello(?:<\/mark>)?, @canary/g, ''),
      /Random|canary/,
      `${path} ${status}`,
    );
  }
  assert.equal((await gus.get('/people/2')).status, 404);
  assert.equal((await gus.get('/people/2/picture')).status, 404);
  assert.match((await gus.get('/search?q=from:canary')).body, /Nobody here is called/);
  assert.equal((await gus.post('/direct', { with: '2' })).status, 404);
  assert.equal(
    (await gus.post('/direct', { with: '1' })).status,
    303,
    'people of their groups they can write to',
  );
  for (const path of ['/groups/2/join', '/groups/2/ask', '/groups', '/invitations'])
    assert.equal((await gus.post(path, { name: 'Mine' })).status, 403, path);

  const socket = await gus.socket('/ws');
  const html = await gus.socket('/ws', { protocol: 'hearth.html' });
  const canary = await newPerson(hearth.url, 'canary2', 2);
  await canary.socket('/ws/chat/2');
  await ada.post('/groups', { name: 'Canary group' });
  await ada.post('/groups/1/messages', { content: 'for everybody' });
  await socket.nextJson('unread', ({ groupId, unread }) => groupId === 1 && unread === 1);
  assert.doesNotMatch([...socket.frames, ...html.frames].join(), /anary/);
});

test('an administrator makes a member a guest and back, and open lists follow', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  const joe = await newPerson(hearth.url, 'joe', 1);
  assert.match((await joe.get('/groups')).body, /Random/);
  const socket = await joe.socket('/ws');
  await ada.post('/admin/people/2/make-guest');
  assert.equal((await socket.closed).code, 1001, 'it connects again as a guest');
  const { body } = await joe.get('/groups');
  assert.deepEqual(
    [/Random/.test(body), /General/.test(body), /Make the group/.test(body)],
    [false, true, false],
  );
  assert.equal((await ada.post('/admin/people/1/make-guest')).status, 409, 'no administrator is a guest');
  await ada.post('/admin/people/2/make-member');
  assert.match((await joe.get('/groups')).body, /Random/);
  assert.match((await ada.get('/admin/log')).body, /made a guest of <strong>joe</);
});

test('an invitation that somebody made before they became a guest lets nobody in', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  const joe = await newPerson(hearth.url, 'joe');
  const { location } = await joe.post('/invitations', { validFor: 'always' });
  const code = /[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2}/.exec((await joe.get(location)).body)?.[0];
  await ada.post('/admin/people/2/make-guest');
  assert.equal((await new Visitor(hearth.url).get(`/join/${code}`)).status, 404);
  await ada.post('/admin/people/2/make-member');
  assert.equal((await new Visitor(hearth.url).get(`/join/${code}`)).status, 404, 'it is revoked');
});
