import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { decodeJwt } from 'jose';
import { generate } from 'otplib';
import { apiReads } from '../../src/api/install.ts';
import { documentOf, Program, signInProgram } from '../support/api.ts';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';
import { until } from '../support/until.ts';

async function make(person: Visitor, fields: Record<string, string>, scopes: readonly string[] = ['read']) {
  const form = new URLSearchParams({ label: 'A script', validFor: 'week', password: PASSWORD, ...fields });
  for (const scope of scopes) form.append('scopes', scope);
  const answer = await person.request('POST', '/account/tokens', form.toString(), {
    'content-type': 'application/x-www-form-urlencoded',
  });
  return { ...answer, token: /<code class="secret">([^<]+)/.exec(answer.body)?.[1] ?? '' };
}

test('a token is made with the password, shown once, works, is listed, and is revoked', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  assert.equal((await make(ada, { password: 'not my password' })).status, 403);
  assert.match((await make(ada, { label: ' ' })).body, /Give the token a name/);
  assert.match((await make(ada, {}, [])).body, /Choose at least one thing/);
  const { token } = await make(ada, { label: 'Canary script' });
  assert.match(token, /^hearth_[\w-]{43}$/);
  const program = new Program(hearth.url, token, await documentOf(hearth.url));
  assert.equal((await program.get('/me')).json.username, 'ada');
  const { body } = await ada.get('/account/tokens');
  assert.match(body, /Canary script/);
  assert.match(body, /last used/);
  assert.ok(!body.includes(token), 'shown once');
  for (const file of readdirSync(hearth.dataDir).filter((name) => name.startsWith('users.sqlite3'))) {
    const bytes = readFileSync(join(hearth.dataDir, file));
    assert.ok(!bytes.includes(token.slice(8)) && !bytes.includes('Canary script'), file);
  }
  const id = /\/account\/tokens\/(\d+)\/revoke/.exec(body)?.[1];
  const joe = await newPerson(hearth.url, 'joe');
  assert.equal((await joe.post(`/account/tokens/${id}/revoke`)).status, 404);
  await ada.post(`/account/tokens/${id}/revoke`);
  assert.equal((await program.get('/me')).status, 401);
});

test('a token does what its scopes say and nothing else, by address and by socket', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const document = await documentOf(hearth.url);
  const programs = new Map<string, Program>();
  for (const scope of ['read', 'write', 'account', 'admin'])
    programs.set(scope, new Program(hearth.url, (await make(ada, {}, [scope])).token, document));
  for (const [path, methods] of Object.entries(document.paths))
    for (const [method, { description }] of Object.entries(methods)) {
      const needed = /Scope: (\w+)/.exec(description ?? '')?.[1];
      if (!needed) continue;
      for (const [scope, program] of programs) {
        if (scope === needed) continue;
        const address = path.replaceAll(/\{\w+\}/g, '1');
        const { status, json } = await program.request(
          method.toUpperCase(),
          address,
          method === 'get' ? undefined : '{}',
          {
            'content-type': 'application/json',
          },
        );
        assert.deepEqual([status, json.code], [403, 'missing_scope'], `${method} ${address} with ${scope}`);
      }
    }
  assert.ok(apiReads.length > 20);
  const reader = await openSocket(hearth.url, programs.get('read')?.token ?? '');
  reader.send({ type: 'send', id: 'x', content: 'no' });
  assert.deepEqual(await reader.next('error'), 'missing_scope');
  const writer = await openSocket(hearth.url, programs.get('write')?.token ?? '');
  assert.equal(await writer.closed, 4401, 'a socket is for reading');
});

test('a JWT says who and until when; it ends with its time, the password, a suspension', async (t) => {
  const hearth = await startHearth(t, { env: { ACCESS_TOKEN_EXPIRE_MINUTES: '5' } });
  const root = await newPerson(hearth.url, 'root');
  const ada = await newPerson(hearth.url, 'ada', 1);
  const program = await signInProgram(hearth.url, 'ada');
  const { sub, jti, exp, iat } = decodeJwt(program.token);
  assert.deepEqual([sub, typeof jti], ['2', 'string']);
  // Both are whole seconds.
  assert.ok([299, 300].includes((exp ?? 0) - (iat ?? 0)), `${exp} ${iat}`);
  const document = await documentOf(hearth.url);
  const [head, body] = program.token.split('.');
  const forged = [`${head}.${body}.AAAA`, `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`];
  for (const token of [...forged, 'hearth_unknown', 'x'])
    assert.equal((await new Program(hearth.url, token, document).get('/me')).status, 401, token);
  await root.post('/admin/people/2/suspend');
  assert.equal((await program.get('/me')).status, 401);
  await root.post('/admin/people/2/unsuspend');
  assert.equal((await program.get('/me')).status, 401, 'a suspension ends sessions for good');
  const again = await signInProgram(hearth.url, 'ada');
  const back = new Visitor(hearth.url);
  await back.post('/login', { username: 'ada', password: PASSWORD });
  await back.post('/account/password', { current: PASSWORD, password: 'another battery staple', next: '' });
  await ada.get('/account');
  const status = (await again.get('/me')).status;
  assert.equal(status, 401, 'a new password voids tokens');
});

test('without the scope admin, the token of an administrator is that of a member', async (t) => {
  const hearth = await startHearth(t);
  const root = await newPerson(hearth.url, 'root');
  const ada = await newPerson(hearth.url, 'ada', 1);
  await ada.post('/invitations', {});
  await ada.post('/groups', { name: 'Garden' });
  const document = await documentOf(hearth.url);
  const programWith = async (scopes: string[]) =>
    new Program(hearth.url, (await make(root, {}, scopes)).token, document);
  const member = await programWith(['read', 'write', 'account']);
  assert.equal((await member.get('/me')).json.isAdmin, false);
  assert.deepEqual((await member.get('/invitations')).json.items, []);
  assert.equal((await (await programWith(['account', 'admin'])).get('/invitations')).json.items.length, 1);
  assert.equal((await (await programWith(['read'])).get('/invitations')).json.code, 'missing_scope');

  const { location } = await ada.post('/line');
  const groupId = Number(/\d+/.exec(location)?.[0]);
  await ada.post(`/groups/${groupId}/messages`, { content: 'for administrators only' });
  assert.equal((await (await programWith(['read', 'admin'])).get(`/groups/${groupId}/messages`)).status, 200);
  assert.equal((await member.get(`/groups/${groupId}/messages`)).status, 403, 'the private line of a member');
  const admin = await programWith(['read', 'admin']);
  await until(async () => (await admin.get('/search?q=administrators')).json.total === 1);
  assert.equal((await member.get('/search?q=administrators')).json.total, 0);
  await root.post(`/groups/${groupId}/messages/1/save`, { on: 'yes' });
  await root.post(`/groups/${groupId}/threads/1/follow`, { on: 'yes' });
  await root.post(`/groups/${groupId}/draft`, { content: 'for ada only' });
  for (const path of ['/groups', '/unread', '/threads', '/saved', '/drafts']) {
    const isThere = (items: { groupId?: number; id?: unknown }[]) =>
      items.some((item) => (path === '/groups' ? item.id : item.groupId) === groupId);
    assert.ok(isThere((await admin.get(path)).json.items), `${path} for an administrator`);
    assert.ok(!isThere((await member.get(path)).json.items), `${path} for a member`);
  }
  assert.equal((await member.get(`/groups/${groupId}`)).status, 404);

  // Neither by a socket: what is written in a line is told to the tokens that read it.
  const listen = (program: Program) =>
    new Visitor(hearth.url).socket('/ws', { headers: { authorization: `Bearer ${program.token}` } });
  const [ofAdmin, ofMember] = [await listen(admin), await listen(member)];
  await ada.post(`/groups/${groupId}/messages`, { content: 'told to those who read it' });
  await ofAdmin.nextJson('notify', ({ body }) => body === 'told to those who read it');
  await root.post('/groups/3/join');
  await ada.post('/groups/3/messages', { content: 'here is @root' });
  await ofMember.nextJson('notify', ({ body }) => {
    assert.doesNotMatch(String(body), /those who read it/);
    return /here is @root/.test(String(body));
  });
  await root.post('/groups/3/leave');

  const kim = await newPerson(hearth.url, 'kim', 3);
  await kim.post('/groups/3/messages', { content: 'as it was' });
  await ada.post('/groups/3/messages/2/report', { reason: 'rude' });
  await kim.post('/groups/3/messages/2/edit', { content: 'as it is now' });
  const [report] = (await admin.get('/reports')).json.items;
  assert.deepEqual(
    [report.reason, report.content, report.message.content],
    ['rude', 'as it was', 'as it is now'],
  );
  assert.deepEqual((await member.get('/reports')).json.items, []);
});

test('with a token that may write, nobody makes a webhook that reads', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  await ada.post('/groups', { name: 'Garden' });
  const webhook = { name: 'ears', url: 'https://ears.example/', trigger: 'message' };
  const document = await documentOf(hearth.url);
  const withScopes = async (scopes: string[]) =>
    new Program(hearth.url, (await make(ada, {}, scopes)).token, document);
  const add = async (scopes: string[]) =>
    (await (await withScopes(scopes)).post('/groups/3/webhooks/add-outgoing', webhook)).status;
  assert.deepEqual(
    [await add(['write']), await add(['read']), await add(['read', 'write'])],
    [403, 403, 200],
  );
});

test('whoever ends all other sessions ends their tokens, too, with their sockets', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const { token } = await make(ada, {}, ['read', 'write']);
  const socket = await openSocket(hearth.url, token);
  await ada.post('/account/sessions/end-others');
  assert.equal(await socket.closed, 4401);
  assert.equal((await new Program(hearth.url, token, await documentOf(hearth.url)).get('/me')).status, 401);
  assert.equal((await ada.get('/account/tokens')).status, 200, 'this session stays');
});

test('a program passes the second step with a code, and guesses no more often than a person', async (t) => {
  const hearth = await startHearth(t, { env: { RATE_LIMITS: 'on' } });
  const ada = await newPerson(hearth.url, 'ada');
  const { body } = await ada.post('/account/second-factor/set-up', { password: PASSWORD });
  const secret = (/key into it: <code>([^<]+)/.exec(body)?.[1] ?? assert.fail(body)).replaceAll(' ', '');
  const at = (offset: number) => generate({ secret, epoch: Math.floor(Date.now() / 1000) + offset });
  await ada.post('/account/second-factor/confirm', { code: await at(-30) });
  const nobody = new Program(hearth.url, '', await documentOf(hearth.url));
  const sign = (fields: object) => nobody.post('/token', { username: 'ada', password: PASSWORD, ...fields });
  assert.deepEqual((await sign({})).json.code, 'code_needed');
  assert.equal((await sign({ password: 'wrong' })).json.code, 'wrong_credentials');
  assert.equal((await sign({ code: '000000' })).json.code, 'wrong_code');
  assert.equal((await sign({ code: await at(0) })).status, 201);
  for (let tries = 0; tries < 10; tries++) await sign({ code: '000000' });
  assert.equal((await sign({ code: '000000' })).status, 429);
});

async function openSocket(url: string, token: string) {
  const { WebSocket } = await import('ws');
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/chat/1`, 'hearth.json', {
    headers: { authorization: `Bearer ${token}` },
  });
  const frames: { type: string; code?: string }[] = [];
  socket.on('message', (data) => frames.push(JSON.parse(String(data))));
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  await new Promise((resolve) => socket.once('open', resolve));
  return {
    closed,
    send: (frame: object) => socket.send(JSON.stringify(frame)),
    async next(type: string) {
      for (;;) {
        const frame = frames.find((one) => one.type === type);
        if (frame) return frame.code;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
  };
}

test('sign-ins of programs hide no personal token, and those that were voided count no more', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  await make(ada, { label: 'Canary script' });
  const program = await signInProgram(hearth.url, 'ada');
  const sign = () => program.post('/token', { username: 'ada', password: PASSWORD });
  await Promise.all(Array.from({ length: 100 }, sign));
  assert.match((await ada.get('/account/tokens')).body, /Canary script/);
  await ada.post('/account/password', {
    current: PASSWORD,
    password: 'another good password',
    again: 'another good password',
  });
  const { body } = await ada.get('/account/tokens');
  assert.match(body, /You have no tokens/);
});
