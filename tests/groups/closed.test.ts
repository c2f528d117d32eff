import assert from 'node:assert/strict';
import test from 'node:test';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';

const SECRET = 'Surprise for Kim';

/** Every page of somebody who is no member, and what they learn of groups by socket. */
async function everythingSeenBy(person: Visitor): Promise<string> {
  const pages = await Promise.all(
    [
      ...[
        '/groups',
        '/groups/3',
        '/groups/3/members',
        '/groups/3/settings',
        '/groups/3/files',
        '/groups/3/pins',
      ],
      ...['/groups/3/names', '/groups/3/messages', '/groups/3/messages/1', '/groups/3/threads/1'],
      ...['/people/1', '/people/2', '/search?q=surprise', '/search?q=cake', '/direct', '/invitations'],
      ...['/threads', '/saved', '/account', '/notifications'],
    ].map(async (path) => (await person.get(path)).body),
  );
  return pages.join('\n');
}

test('a closed group is in no list, page, search or socket of anybody else, from the moment it is closed', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  const joe = await newPerson(hearth.url, 'joe', 1);
  const kim = await newPerson(hearth.url, 'kim', 1);
  await joe.post('/groups', { name: SECRET });
  await joe.post('/groups/3/messages', { content: 'a cake with candles' });
  assert.match(await everythingSeenBy(kim), new RegExp(SECRET), 'while it is open');
  const html = await kim.socket('/ws', { protocol: 'hearth.html' });
  const json = await kim.socket('/ws');
  await html.next((text) => text.includes(SECRET));
  const before = [html.frames.length, json.frames.length] as const;
  assert.equal((await joe.post('/groups/3/rules', { access: 'closed', posting: 'members' })).status, 303);
  await html.next((text) => text.includes('id="group-3" data-live="remove"'));

  await joe.post('/groups/3/rename', { name: `${SECRET} and Mina` });
  await joe.post('/groups/3/messages', { content: '@kim must not see this cake' });
  await joe.post('/groups/3/topic', { topic: `${SECRET}, on Sunday` });
  for (const person of [kim, ada]) {
    const seen = await everythingSeenBy(person);
    assert.doesNotMatch(seen, new RegExp(SECRET));
    assert.doesNotMatch(seen, /candles|this cake/);
  }
  const told = [...html.frames.slice(before[0]), ...json.frames.slice(before[1])].join('\n');
  assert.doesNotMatch(told, new RegExp(SECRET));
  const refused = await kim.socket('/ws/chat/3');
  const { code, reason } = await refused.closed;
  assert.deepEqual([code, reason.includes(SECRET)], [4403, false]);
  assert.equal((await kim.post('/groups/3/join')).status, 403);
  assert.equal((await kim.post('/groups/3/messages', { content: 'hello' })).status, 403);
  assert.match((await joe.get('/groups/3')).body, new RegExp(SECRET), 'its members have it');
});

test('who asks to join a closed group is let in, or not, by its owners', async (t) => {
  const hearth = await startHearth(t);
  await newPerson(hearth.url, 'ada');
  const joe = await newPerson(hearth.url, 'joe');
  await joe.post('/groups', { name: 'Board of the club', closed: 'yes' });
  const [kim, mina] = [await newPerson(hearth.url, 'kim'), await newPerson(hearth.url, 'mina')];
  const page = (await kim.get('/groups/3')).body;
  assert.match(page, /A closed group[\s\S]*Ask to join/);
  const [owner, cookieSource] = [
    await joe.socket('/ws', { protocol: 'hearth.html' }),
    await kim.socket('/ws', { protocol: 'hearth.html' }),
  ];
  for (const person of [kim, mina]) {
    assert.equal((await person.post('/groups/3/ask')).status, 303);
    assert.equal((await person.post('/groups/3/ask')).status, 303, 'once more changes nothing');
  }
  await owner.next((text) => /id="requests-3"[\s\S]*2 people ask to join/.test(text));
  assert.match((await kim.get('/groups/3')).body, /You asked to join/);
  assert.match((await joe.get('/groups/3')).body, /2 people ask to join/);
  assert.equal((await kim.post('/groups/3/answer-request', { accountId: '3', accept: 'yes' })).status, 403);
  await joe.post('/groups/3/answer-request', { accountId: '3', accept: 'yes' });
  await joe.post('/groups/3/answer-request', { accountId: '4', accept: 'no' });
  await owner.next((text) => /id="requests-3"[^>]* hidden/.test(text));
  assert.ok(!cookieSource.frames.some((text) => text.includes('requests-3')), 'others are not told');
  assert.equal((await kim.get('/groups/3')).status, 200);
  assert.equal((await mina.get('/groups/3')).status, 403);
  const again = await joe.post('/groups/3/answer-request', { accountId: '4', accept: 'yes' });
  assert.deepEqual([again.status, /does not ask to join/.test(again.body)], [404, true]);
  assert.equal((await kim.post('/groups/3/ask')).status, 409, 'a member need not');
  assert.equal((await mina.post('/groups/1/ask')).status, 409, 'an open group is joined');
  assert.doesNotMatch((await kim.get('/groups/3/members')).body, /Who asks to join/);
});

test('a member invites to a closed group, and its code opens it', async (t) => {
  const hearth = await startHearth(t);
  await newPerson(hearth.url, 'ada');
  const joe = await newPerson(hearth.url, 'joe');
  const kim = await newPerson(hearth.url, 'kim');
  await joe.post('/groups', { name: 'Family', closed: 'yes' });
  const { location } = await joe.post('/invitations', { groups: '3' });
  const code = /[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2}/.exec((await joe.get(location)).body)?.[0];
  assert.equal((await kim.post(`/join/${code}`)).location, '/groups/3');
  assert.equal((await kim.get('/groups/3')).status, 200);
});

test('where owners only write, members read and react', async (t) => {
  const hearth = await startHearth(t);
  await newPerson(hearth.url, 'ada');
  const joe = await newPerson(hearth.url, 'joe');
  await joe.post('/groups', { name: 'Announcements' });
  const kim = await newPerson(hearth.url, 'kim', 3);
  await joe.post('/groups/3/rules', { access: 'open', posting: 'owners' });
  await joe.post('/groups/3/messages', { content: 'We meet on Sunday' });
  const page = (await kim.get('/groups/3')).body;
  assert.match(page, /We meet on Sunday[\s\S]*Only owners write in this group/);
  assert.doesNotMatch(page, /data-composer/);
  const refused = await kim.post('/groups/3/messages', { content: 'me too' });
  assert.deepEqual([refused.status, /Only owners write/.test(refused.body)], [403, true]);
  const file = { name: 'a.txt', type: 'text/plain', bytes: Buffer.from('a') };
  for (const path of ['/groups/3/messages', '/groups/3/files', '/groups/3/voice'])
    assert.equal((await kim.upload(path, [file])).status, 403, path);
  const socket = await kim.socket('/ws/chat/3');
  socket.send({ type: 'send', content: 'me too', id: '0190b4a5-0000-7000-8000-000000000001' });
  assert.equal((await socket.nextJson('error')).code, 'forbidden');
  assert.equal((await kim.post('/groups/3/messages/1/reactions', { emoji: '👍', on: 'yes' })).status, 303);
  await joe.post('/groups/3/make-owner', { accountId: '3' });
  assert.equal((await kim.post('/groups/3/messages', { content: 'me too' })).status, 303);
});

test('an archived group is read by its members, changed by nobody, and comes back', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  const joe = await newPerson(hearth.url, 'joe');
  await joe.post('/groups', { name: 'Summer camp' });
  await joe.post('/groups/3/messages', { content: 'it was warm' });
  const kim = await newPerson(hearth.url, 'kim', 3);
  await kim.post('/groups/3/messages', { content: 'and dry' });
  await joe.post('/groups/3/messages/1/pin', { on: 'yes' });
  await joe.post('/groups/3/archive', { on: 'yes' });
  for (const [path, form] of [
    ['messages', { content: 'more' }],
    ['messages/1/edit', { content: 'it was hot' }],
    ['messages/1/reactions', { emoji: '👍' }],
    ['messages/1/pin', { on: 'no' }],
  ] as const)
    assert.equal((await joe.post(`/groups/3/${path}`, form)).status, 403, path);
  const offered = (await kim.get('/groups/3/messages/1')).body + (await kim.get('/groups/3/pins')).body;
  assert.doesNotMatch(offered, /messages\/1\/(?:reactions|pin|remove)"/);
  assert.equal((await kim.get('/groups/3/voice')).status, 403);
  assert.equal((await kim.post('/groups/3/messages/2/remove')).status, 403, 'not even what she wrote');
  assert.equal((await joe.post('/groups/3/messages/2/remove')).status, 303, 'but by owners');
  assert.match((await kim.get('/groups/3')).body, /it was warm[\s\S]*it can only be read/);
  assert.doesNotMatch((await ada.get('/groups')).body, /Summer camp/);
  const listed = (await kim.get('/groups')).body;
  assert.match(listed, /id="archived-title"[\s\S]*Summer camp/);
  assert.doesNotMatch(listed, /id="group-3"/);
  assert.equal((await ada.post('/groups/3/join')).status, 403);
  assert.equal((await kim.post('/groups/3/archive', { on: 'no' })).status, 403);
  await joe.post('/groups/3/archive', { on: 'no' });
  assert.match((await ada.get('/groups')).body, /Summer camp/);
  assert.equal((await kim.post('/groups/3/messages', { content: 'more' })).status, 303);
});

test('a group keeps an owner: the last one neither leaves nor is unmade, and owners are not removed', async (t) => {
  const hearth = await startHearth(t);
  await newPerson(hearth.url, 'ada');
  const joe = await newPerson(hearth.url, 'joe');
  await joe.post('/groups', { name: 'Garden' });
  const kim = await newPerson(hearth.url, 'kim', 3);
  assert.equal((await joe.post('/groups/3/leave')).status, 409);
  const last = await joe.post('/groups/3/remove-owner', { accountId: '2' });
  assert.deepEqual([last.status, /This is the last owner/.test(last.body)], [409, true]);
  await joe.post('/groups/3/make-owner', { accountId: '3' });
  assert.equal((await kim.post('/groups/3/remove-member', { accountId: '2' })).status, 409);
  const answers = await Promise.all([
    joe.post('/groups/3/remove-owner', { accountId: '3' }),
    kim.post('/groups/3/remove-owner', { accountId: '2' }),
  ]);
  assert.ok(
    answers.some((answer) => answer.status !== 303),
    'not both',
  );
  const owners = [...(await joe.get('/groups/3/members')).body.matchAll(/>owner</g)].length;
  assert.equal(owners, 1);
});

test('whoever asked to join and comes in another way is not asked about any more', async (t) => {
  const hearth = await startHearth(t);
  await newPerson(hearth.url, 'ada');
  const joe = await newPerson(hearth.url, 'joe');
  await joe.post('/groups', { name: 'Garden' });
  await joe.post('/groups/3/rules', { access: 'closed', posting: 'members' });
  const kim = await newPerson(hearth.url, 'kim');
  const mina = await newPerson(hearth.url, 'mina');
  for (const person of [kim, mina]) assert.equal((await person.post('/groups/3/ask')).status, 303);
  assert.match((await joe.get('/groups/3')).body, /2 people ask to join/);
  const { location } = await joe.post('/invitations', { groups: '3' });
  const code = /[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2}/.exec((await joe.get(location)).body)?.[0];
  await kim.post(`/join/${code}`);
  assert.match((await joe.get('/groups/3')).body, /1 person asks to join/);
  await kim.post('/groups/3/leave');
  assert.equal(
    (await joe.post('/groups/3/answer-request', { accountId: '3', accept: 'yes' })).status,
    404,
    'whoever left since stays out',
  );
  await joe.post('/groups/3/rules', { access: 'open', posting: 'members' });
  await mina.post('/groups/3/join');
  assert.doesNotMatch((await joe.get('/groups/3/members')).body, /Who asks to join/);
});

test('nobody is let into an archived group, or while suspended; the request waits', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  const joe = await newPerson(hearth.url, 'joe');
  await joe.post('/groups', { name: 'Garden' });
  await joe.post('/groups/3/rules', { access: 'closed', posting: 'members' });
  const kim = await newPerson(hearth.url, 'kim');
  await kim.post('/groups/3/ask');
  const accept = async () =>
    (await joe.post('/groups/3/answer-request', { accountId: '3', accept: 'yes' })).status;
  await joe.post('/groups/3/archive', { on: 'yes' });
  assert.equal(await accept(), 403);
  await joe.post('/groups/3/archive', { on: 'no' });
  await ada.post('/admin/people/3/suspend');
  assert.equal(await accept(), 409);
  await ada.post('/admin/people/3/unsuspend');
  assert.equal(await accept(), 303);
  await ada.post('/admin/people/3/suspend');
  assert.equal((await joe.post('/groups/3/transfer-ownership', { accountId: '3' })).status, 400);
  await ada.post('/admin/people/3/unsuspend');
  await joe.post('/groups/3/make-owner', { accountId: '3' });
  await ada.post('/admin/people/3/suspend');
  for (const act of ['leave', 'remove-owner'])
    assert.equal((await joe.post(`/groups/3/${act}`, { accountId: '2' })).status, 409, act);
});

test('where owners write, the page of whoever becomes one is told', async (t) => {
  const hearth = await startHearth(t);
  await newPerson(hearth.url, 'ada');
  const joe = await newPerson(hearth.url, 'joe');
  await joe.post('/groups', { name: 'News' });
  const kim = await newPerson(hearth.url, 'kim', 3);
  await joe.post('/groups/3/rules', { access: 'open', posting: 'owners' });
  const socket = await kim.socket('/ws/chat/3', { protocol: 'hearth.html' });
  await socket.next((text) => text.includes('data-event="hello"'));
  for (const act of ['make-owner', 'remove-owner']) {
    await joe.post(`/groups/3/${act}`, { accountId: '3' });
    await socket.next((text) => text.includes('data-event="rules"'));
  }
});

test('an invitation whose groups are archived takes no use, and makes no guest of nothing', async (t) => {
  const hearth = await startHearth(t);
  await newPerson(hearth.url, 'ada');
  const joe = await newPerson(hearth.url, 'joe');
  await joe.post('/groups', { name: 'Garden' });
  const codeOf = async (fields: Record<string, string>) => {
    const { location } = await joe.post('/invitations', { groups: '3', uses: '1', ...fields });
    return (
      /[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2}/.exec((await joe.get(location)).body)?.[0] ?? assert.fail(location)
    );
  };
  const [code, forGuest] = [await codeOf({}), await codeOf({ forGuests: 'yes' })];
  const kim = await newPerson(hearth.url, 'kim');
  await joe.post('/groups/3/archive', { on: 'yes' });
  assert.equal((await kim.post(`/join/${code}`)).status, 404);
  assert.equal((await joe.post('/invitations', { groups: '3' })).status, 400);
  assert.doesNotMatch((await joe.get('/invitations')).body, /Garden<\/label>|> Garden/);
  const pages = (await joe.get('/groups/3/settings')).body + (await joe.get('/groups/3/members')).body;
  assert.doesNotMatch(pages, /\/invitations\?group=3/);
  const guest = { username: 'guest', password: PASSWORD, code: forGuest };
  assert.notEqual((await new Visitor(hearth.url).post('/register', guest)).status, 303);
  await joe.post('/groups/3/archive', { on: 'no' });
  assert.equal((await kim.post(`/join/${code}`)).location, '/groups/3');
  assert.equal((await new Visitor(hearth.url).post('/register', guest)).status, 303);
});

test('whom an owner removes is out at once', async (t) => {
  const hearth = await startHearth(t);
  await newPerson(hearth.url, 'ada');
  const joe = await newPerson(hearth.url, 'joe');
  await joe.post('/groups', { name: 'Garden' });
  const kim = await newPerson(hearth.url, 'kim', 3);
  const socket = await kim.socket('/ws/chat/3');
  await joe.post('/groups/3/rules', { access: 'closed', posting: 'members' });
  assert.equal((await joe.post('/groups/3/remove-member', { accountId: '3' })).status, 303);
  assert.equal((await socket.closed).code, 4403);
  assert.equal((await kim.get('/groups/3')).status, 403);
  assert.equal((await joe.post('/groups/3/remove-member', { accountId: '3' })).status, 404);
});

test('whom an owner removed comes back by an owner only, by no invitation and not by an open group', async (t) => {
  const hearth = await startHearth(t);
  await newPerson(hearth.url, 'ada');
  const joe = await newPerson(hearth.url, 'joe');
  await joe.post('/groups', { name: 'Garden' });
  const [kim, mina] = [await newPerson(hearth.url, 'kim', 3), await newPerson(hearth.url, 'mina', 3)];
  const codeBy = async (person: Visitor) => {
    const { location } = await person.post('/invitations', { groups: '3' });
    return /[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2}/.exec((await person.get(location)).body)?.[0] ?? '';
  };
  const [ofJoe, ofKim] = [await codeBy(joe), await codeBy(kim)];
  await kim.post(`/join/${ofJoe}`);
  await joe.post('/groups/3/remove-member', { accountId: '3' });
  for (const code of [ofJoe, ofKim]) {
    await kim.post(`/join/${code}`);
    assert.equal((await kim.get('/groups/3')).status, 403);
  }
  const zoe = await newPerson(hearth.url, 'zoe');
  await zoe.post(`/join/${ofKim}`);
  assert.equal((await zoe.get('/groups/3')).status, 403, 'an invitation opens what its maker is in');
  assert.equal((await kim.post('/groups/3/join')).status, 403);
  assert.match((await kim.get('/groups/3')).body, /An owner removed you from it[\s\S]*Ask to join/);
  assert.equal((await kim.post('/groups/3/ask')).status, 303);
  assert.equal((await mina.post('/groups/3/answer-request', { accountId: '3', accept: 'yes' })).status, 403);
  await joe.post('/groups/3/answer-request', { accountId: '3', accept: 'yes' });
  assert.equal((await kim.get('/groups/3')).status, 200);
});

test('in slow mode a member waits between two messages, owners do not, and a retry is no second message', async (t) => {
  const hearth = await startHearth(t);
  await newPerson(hearth.url, 'admin');
  const ada = await newPerson(hearth.url, 'ada');
  await ada.post('/groups', { name: 'Announcements' });
  const joe = await newPerson(hearth.url, 'joe', 3);
  const kim = await newPerson(hearth.url, 'kim', 3);
  assert.equal((await joe.post('/groups/3/slow-mode', { seconds: '3600' })).status, 403);
  await ada.post('/groups/3/slow-mode', { seconds: '3600' });
  const say = (person: typeof joe, id: string) => person.post('/groups/3/messages', { content: 'hello', id });
  const [first, second] = [crypto.randomUUID(), crypto.randomUUID()];
  assert.equal((await say(joe, first)).status, 303);
  assert.equal((await say(joe, first)).status, 303, 'the same message again');
  const refused = await say(joe, second);
  assert.deepEqual(
    [refused.status, /This group is in slow mode. Try again in 60 minutes/.test(refused.body)],
    [429, true],
  );
  assert.ok(Number(refused.headers['retry-after']) > 3_500);
  const socket = await joe.socket('/ws/chat/3');
  socket.send({ type: 'send', id: second, content: 'hello' });
  assert.equal((await socket.nextJson('error')).code, 'slow_mode');
  const atOnce = await Promise.all(Array.from({ length: 10 }, () => say(kim, crypto.randomUUID())));
  assert.equal(atOnce.filter(({ status }) => status === 303).length, 1, 'ten at once are one');
  for (let count = 0; count < 2; count++) assert.equal((await say(ada, crypto.randomUUID())).status, 303);
  await ada.post('/groups/3/slow-mode', { seconds: '0' });
  assert.equal((await say(joe, second)).status, 303);
});

test('an owner hands the group over in one act; open pages follow when only owners write', async (t) => {
  const hearth = await startHearth(t);
  await newPerson(hearth.url, 'admin');
  const ada = await newPerson(hearth.url, 'ada');
  await ada.post('/groups', { name: 'Choir' });
  const joe = await newPerson(hearth.url, 'joe', 3);
  const page = await joe.socket('/ws/chat/3', { protocol: 'hearth.html' });
  await ada.post('/groups/3/rules', { access: 'open', posting: 'owners' });
  await page.next((text) => text.includes('data-event="rules" data-group-id="3"'));
  assert.equal((await joe.post('/groups/3/transfer-ownership', { accountId: '3' })).status, 403);
  assert.equal(
    (await ada.post('/groups/3/transfer-ownership', { accountId: '2' })).status,
    400,
    'not to oneself',
  );
  assert.equal((await ada.post('/groups/3/transfer-ownership', { accountId: '99' })).status, 404);
  assert.equal(
    (await ada.post('/groups/3/transfer-ownership', { accountId: '3' })).location,
    '/groups/3/members',
  );
  assert.equal((await ada.post('/groups/3/topic', { topic: 'mine' })).status, 403);
  assert.equal((await joe.post('/groups/3/topic', { topic: 'Mass in B minor' })).status, 303);
});

test('where owners only write, no member edits what they wrote before, or pins', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  const joe = await newPerson(hearth.url, 'joe');
  await joe.post('/groups', { name: 'News' });
  const kim = await newPerson(hearth.url, 'kim', 3);
  await kim.post('/groups/3/messages', { content: 'before' });
  await joe.post('/groups/3/rules', { access: 'open', posting: 'owners' });
  assert.equal((await kim.post('/groups/3/messages/1/edit', { content: 'an announcement' })).status, 403);
  assert.equal((await kim.post('/groups/3/messages/1/pin', { on: 'yes' })).status, 403);
  assert.doesNotMatch(
    (await kim.get('/groups/3/messages/1')).body,
    /messages\/1\/(?:edit|pin)"/,
    'no button for it',
  );
  assert.equal((await kim.post('/groups/3/messages/1/remove')).status, 303, 'it can be taken back');
  assert.equal((await ada.get('/groups/3')).status, 403);
});
