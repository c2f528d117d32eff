import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { conversationOperations } from '../../src/messages/conversation-operations.ts';
import { messageOperations } from '../../src/messages/operations.ts';
import { documentOf, Program, signInProgram } from '../support/api.ts';
import { guestOf, newPerson, Visitor } from '../support/client.ts';
import { ROOT, startHearth } from '../support/hearth.ts';
import { ACCOUNT_OPERATIONS, GROUP_OPERATIONS } from '../support/operations.ts';

/** Who is let in, from the widest to the narrowest; each includes those after it but `admin`, who may not read groups. */
type Access =
  | 'everybody'
  | 'signed in'
  | 'no guests'
  | 'no admins'
  | 'members'
  | 'owners'
  | 'admins'
  | 'its maker';

/** Every page and every form that is made by hand. One that is missing here fails the test. */
const ROUTES: Readonly<Record<string, Access>> = {
  'GET /healthz': 'everybody',
  'GET /readyz': 'everybody',
  // From this machine, or with a token: `tests/http/metrics.test.ts`.
  'GET /metrics': 'everybody',
  'GET /offline': 'everybody',
  'GET /favicon.ico': 'everybody',
  'GET /service-worker.js': 'everybody',
  'GET /login': 'everybody',
  'GET /register': 'everybody',
  'GET /join/:code': 'everybody',
  'GET /deleted/:token': 'everybody',
  'GET /trust': 'everybody',
  'GET /forgot': 'everybody',
  'POST /login/passkey': 'everybody',
  'POST /login/passkey/options': 'everybody',
  'POST /forgot': 'everybody',
  'GET /confirm-email/:token': 'everybody',
  'POST /confirm-email/:token': 'everybody',
  'POST /join/:code/decline': 'everybody',
  'GET /trust/authority.crt': 'everybody',
  'GET /connection': 'everybody',
  'GET /api/docs': 'everybody',
  'GET /new-password/:token': 'everybody',
  'GET /this-device/:token': 'everybody',
  'GET /login/code': 'everybody',
  'GET /login/face': 'everybody',
  'POST /login/face': 'everybody',
  'POST /login': 'everybody',
  'POST /login/code': 'everybody',
  'POST /register': 'everybody',
  'POST /logout': 'everybody',
  'POST /theme': 'everybody',
  'POST /new-password/:token': 'everybody',
  'POST /this-device/:token': 'everybody',
  'GET /': 'signed in',
  'GET /mine.css': 'signed in',
  'GET /groups': 'signed in',
  'GET /direct': 'signed in',
  'GET /threads': 'signed in',
  'GET /saved': 'signed in',
  'GET /search': 'signed in',
  'GET /reports': 'signed in',
  'GET /line': 'signed in',
  'GET /notifications': 'signed in',
  'GET /account': 'signed in',
  'GET /account/sessions': 'signed in',
  'GET /account/delete': 'signed in',
  'GET /account/tokens': 'signed in',
  'POST /account/tokens': 'signed in',
  'GET /account/passkeys': 'signed in',
  'POST /account/passkeys': 'signed in',
  'POST /account/passkeys/options': 'signed in',
  'GET /account/export': 'signed in',
  'GET /account/export/archive': 'signed in',
  'GET /people/:id': 'signed in',
  'GET /people/:id/picture': 'signed in',
  'GET /invitations': 'signed in',
  'GET /join': 'signed in',
  'GET /account/second-factor': 'signed in',
  'POST /account/second-factor/set-up': 'signed in',
  'POST /account/second-factor/confirm': 'signed in',
  'POST /account/second-factor/remove': 'signed in',
  'GET /account/face': 'signed in',
  'POST /account/face': 'signed in',
  'POST /account/face/remove': 'signed in',
  'POST /account/delete': 'signed in',
  'POST /account/device-link': 'signed in',
  'POST /account/password': 'signed in',
  'POST /account/picture': 'signed in',
  'GET /groups/:id': 'members',
  'GET /groups/:id/archive': 'owners',
  'GET /groups/:id/bots': 'owners',
  'GET /groups/:id/commands': 'members',
  'GET /groups/:id/files': 'members',
  'GET /groups/:id/members': 'members',
  'GET /groups/:id/messages': 'members',
  'GET /groups/:id/messages/:seq': 'members',
  'GET /groups/:id/messages/:seq/link-image': 'members',
  'GET /groups/:id/names': 'members',
  'GET /groups/:id/pins': 'members',
  'GET /groups/:id/settings': 'members',
  'GET /groups/:id/threads/:seq': 'members',
  'GET /groups/:groupId/messages/:seq/report': 'members',
  'GET /groups/:id/voice': 'members',
  'GET /media/:fileId': 'members',
  'GET /media/:fileId/thumbnail': 'members',
  'GET /media/:fileId/transcript': 'members',
  'POST /groups/:id/files': 'members',
  'POST /groups/:id/messages': 'members',
  'POST /groups/:id/voice': 'members',
  'GET /invitations/:id': 'its maker',
  'GET /inbox': 'admins',
  'GET /admin': 'admins',
  'GET /admin/bots': 'admins',
  'POST /admin/bots': 'admins',
  'POST /admin/bots/:id/token': 'admins',
  'GET /admin/imports': 'admins',
  'GET /admin/imports/:id': 'admins',
  'POST /admin/imports': 'admins',
  'GET /admin/groups': 'admins',
  'GET /admin/log': 'admins',
  'GET /admin/space': 'admins',
  'GET /admin/people': 'admins',
  'GET /admin/people/:id': 'admins',
  'POST /admin/people/:id/password-link': 'admins',
};

/** Only redirects, those in the program of the engine that calls back, and what a secret in the address lets in. */
const LEFT_OUT = ['GET /chat/:id', 'POST /api/voice/transcripts', 'POST /hooks/:secret'];

/** Operations of an account that not everybody who is signed in may use. */
const ACCESS: Readonly<Record<string, Access>> = {
  'revoke-invitation': 'its maker',
  'create-invitation': 'no guests',
  'create-group': 'no guests',
  join: 'no guests',
  'ask-to-join': 'no guests',
  'start-import': 'admins',
  'discard-import': 'admins',
  'open-line': 'no admins',
  'open-line-of': 'admins',
  'inbox-assign': 'admins',
  'inbox-note': 'admins',
  'inbox-done': 'admins',
  'keep-messages': 'admins',
  'keep-messages-of-group': 'admins',
  'hold-group': 'admins',
  'hold-all': 'admins',
  purge: 'admins',
};

const OWNERS_ONLY = new Set(
  GROUP_OPERATIONS.map(({ name }) => name).filter((name) => name !== 'notification-level'),
);

/** Those of reports depend on the message and on who wrote it: `tests/reports/` has who may. */
const { admin, reports: _reports, ...others } = ACCOUNT_OPERATIONS;
const OPERATIONS: readonly [name: string, path: string, access: Access][] = [
  ...[...conversationOperations, ...messageOperations].map(({ name, path }): [string, string, Access] => [
    name,
    `/groups/:id/${path}`,
    // Its author is the owner here.
    ['edit', 'remove'].includes(name) ? 'owners' : 'members',
  ]),
  ...GROUP_OPERATIONS.map(({ name, path }): [string, string, Access] => [
    name,
    `/groups/:id/${path}`,
    OWNERS_ONLY.has(name) ? 'owners' : 'members',
  ]),
  ...admin.map(({ name, path }): [string, string, Access] => [name, path, 'admins']),
  ...Object.values(others)
    .flat()
    .map(({ name, path }): [string, string, Access] => [name, path, ACCESS[name] ?? 'signed in']),
];

const ROLES = ['stranger', 'suspended', 'elsewhere', 'guest', 'member', 'owner', 'admin'] as const;
type Role = (typeof ROLES)[number];

const ALLOWED: Readonly<Record<Access, readonly Role[]>> = {
  everybody: ROLES,
  'signed in': ['elsewhere', 'guest', 'member', 'owner', 'admin'],
  'no admins': ['elsewhere', 'guest', 'member', 'owner'],
  'no guests': ['elsewhere', 'member', 'owner', 'admin'],
  members: ['guest', 'member', 'owner'],
  owners: ['owner'],
  admins: ['admin'],
  'its maker': ['owner', 'admin'],
};

test('every page, form and operation lets in whom it should, and nobody else', async (t) => {
  // One address may lead programs elsewhere.
  assert.deepEqual(
    [...new Set(pathsInSource())].toSorted(),
    [...Object.keys(ROUTES), ...LEFT_OUT].toSorted(),
  );
  const hearth = await startHearth(t);
  const chief = await newPerson(hearth.url, 'chief');
  // Whom administrators act on.
  await newPerson(hearth.url, 'bystander');
  let count = 0;

  async function personIn(role: Role, owner: Visitor, groupId: number): Promise<Visitor> {
    if (role === 'owner') return owner;
    if (role === 'stranger') return new Visitor(hearth.url);
    if (role === 'guest') return guestOf(hearth.url, owner, `${role}${count}`, groupId);
    const person = await newPerson(hearth.url, `${role}${count}`);
    if (role !== 'admin' && role !== 'suspended') return person;
    const { body } = await chief.get(`/admin/people?q=${role}${count}`);
    const id = /href="\/admin\/people\/(\d+)"/.exec(body)?.[1];
    const act = role === 'admin' ? 'make-admin' : 'suspend';
    assert.equal((await chief.post(`/admin/people/${id}/${act}`)).status, 303);
    return person;
  }

  /** Somebody in a role, with a group; new after each try that may have changed something. */
  async function arrive(role: Role) {
    count += 1;
    const owner = await newPerson(hearth.url, `owner${count}`);
    const groupId = Number(
      (await owner.post('/groups', { name: `Group ${count}` })).location.split('/').at(-1),
    );
    const file = { name: 'a.txt', type: 'text/plain', bytes: Buffer.from('a') };
    const { body } = await owner.upload(`/groups/${groupId}/files`, [file], {}, { 'hx-request': 'true' });
    const fileId = /data-file="([^"]+)"/.exec(body)?.[1] ?? '';
    await owner.post(`/groups/${groupId}/messages`, { content: 'hello', files: fileId });
    const invitation = (await owner.post('/invitations', {})).location.split('/').at(-1) ?? '';
    const person = await personIn(role, owner, groupId);
    if (role === 'member') await person.post(`/groups/${groupId}/join`);
    const ids = { group: String(groupId), file: fileId, invitation };
    return { person, ids };
  }

  const all = [
    ...Object.entries(ROUTES),
    ...OPERATIONS.map(([, path, access]): [string, Access] => [`POST ${path}`, access]),
  ];
  const present = new Map<Role, Awaited<ReturnType<typeof arrive>>>();
  for (const [route, access] of all) {
    const [method = '', path = ''] = route.split(' ');
    for (const role of ROLES) {
      const { person, ids } = present.get(role) ?? (await arrive(role));
      present.set(role, { person, ids });
      const address = addressOf(path, ids);
      const answer = await (method === 'GET' ? person.get(address) : person.post(address));
      // What was refused has changed nothing.
      if (method === 'POST' && ALLOWED[access].includes(role) && answer.status < 400) present.delete(role);
      const isRefused =
        [401, 403].includes(answer.status) ||
        answer.location.startsWith('/login?') ||
        // What somebody may not know of is not there.
        (answer.status === 404 &&
          ['members', 'its maker'].includes(access) &&
          !ALLOWED[access].includes(role)) ||
        (answer.location === '/login' && path === '/');
      assert.equal(
        isRefused,
        !ALLOWED[access].includes(role),
        `${route} as ${role}: ${answer.status} ${answer.location}`,
      );
      // Whoever is no member learns nothing of the group.
      if (!ALLOWED.members.includes(role)) assert.doesNotMatch(answer.body, /hello/);
    }
  }
});

test('every socket command refuses whom its form refuses', async (t) => {
  const hearth = await startHearth(t);
  const admin = await newPerson(hearth.url, 'admin');
  const owner = await newPerson(hearth.url, 'owner');
  await owner.post('/groups', { name: 'Garden' });
  await owner.post('/groups/3/messages', { content: 'hello' });
  const member = await newPerson(hearth.url, 'member', 3);
  const elsewhere = await newPerson(hearth.url, 'elsewhere');
  for (const person of [elsewhere, admin])
    assert.equal((await (await person.socket('/ws/chat/3')).closed).code, 4403);
  assert.equal((await (await new Visitor(hearth.url).socket('/ws')).closed).code, 4401);

  for (const [name, path, access] of OPERATIONS) {
    const isOfGroup = path.startsWith('/groups/:id/');
    const people = isOfGroup ? { member } : { member, elsewhere };
    for (const [role, person] of Object.entries(people)) {
      const socket = await person.socket(isOfGroup ? '/ws/chat/3' : '/ws');
      socket.send({ type: name, id: name, seq: 1, personId: 1, accountId: 2 });
      const isAnswer = (text: string) => ['ack', 'error'].includes(JSON.parse(text).type);
      const answer = JSON.parse(await socket.next(isAnswer));
      const isRefused = answer.type === 'error' && answer.code === 'forbidden';
      const isForbidden = ['owners', 'admins'].includes(access);
      assert.equal(isRefused, isForbidden, `${name} as ${role}: ${JSON.stringify(answer)}`);
      socket.close();
    }
  }
});

test('the API refuses whom the form of an operation refuses, and a token of nobody', async (t) => {
  const hearth = await startHearth(t);
  const admin = await newPerson(hearth.url, 'admin');
  const owner = await newPerson(hearth.url, 'owner');
  await owner.post('/groups', { name: 'Garden' });
  await owner.post('/groups/3/messages', { content: 'hello' });
  await newPerson(hearth.url, 'member', 3);
  await newPerson(hearth.url, 'elsewhere');
  await guestOf(hearth.url, owner, 'guest', 3);
  await newPerson(hearth.url, 'suspended', 3);
  const document = await documentOf(hearth.url);
  const programs = new Map<Role, Program>([['stranger', new Program(hearth.url, '', document)]]);
  for (const role of ROLES.slice(1)) programs.set(role, await signInProgram(hearth.url, role));
  const { body } = await admin.get('/admin/people?q=suspended');
  await admin.post(`/admin/people/${/href="\/admin\/people\/(\d+)"/.exec(body)?.[1]}/suspend`);
  let refusals = 0;
  for (const [name, path, access] of OPERATIONS) {
    const address = addressOf(path, { group: '3', file: '1', invitation: '1' });
    for (const [role, program] of programs) {
      if (ALLOWED[access].includes(role)) continue;
      const { status, json } = await program.post(address);
      refusals += 1;
      const expected = ['stranger', 'suspended'].includes(role) ? [401] : [403, 404];
      assert.ok(expected.includes(status), `${name} as ${role}: ${status} ${JSON.stringify(json)}`);
    }
  }
  assert.ok(refusals > 200, `${refusals} refusals`);
});

function pathsInSource(): string[] {
  const src = join(ROOT, 'src');
  return (
    readdirSync(src, { recursive: true, encoding: 'utf8' })
      // The API, the clients of other chats and the lesson have tests of their own.
      .filter((file) => file.endsWith('.ts') && !/^(?:api.router|other-clients|lesson)/.test(file))
      .flatMap((file) => [
        ...readFileSync(join(src, file), 'utf8').matchAll(/\.(get|post|put|patch|delete)\(\s*'(\/[^']*)'/g),
      ])
      .map((match) => `${match[1]?.toUpperCase()} ${match[2]}`)
  );
}

function addressOf(path: string, ids: { group: string; file: string; invitation: string }): string {
  const id = path.startsWith('/groups/') ? ids.group : path === '/invitations/:id' ? ids.invitation : '2';
  return path
    .replace(':groupId', ids.group)
    .replace(':fileId', ids.file)
    .replace(':invitationId', ids.invitation)
    .replace(':personId', '2')
    .replace(':id', id)
    .replace(':seq', '1')
    .replace(/:\w+/, '1');
}
