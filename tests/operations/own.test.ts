import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import { type Frame, newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { startHearthProcess } from '../support/hearth.ts';
import { ACCOUNT_OPERATIONS } from '../support/operations.ts';
import { startPushService } from '../support/push-service.ts';
import { recording } from '../support/speech.ts';

type File = { name: string; type: string; bytes: Uint8Array };

type Sample = {
  /** Once as a form and once as a command, so that neither repeats the other. */
  inputs: readonly [form: Record<string, string>, command: Record<string, unknown>];
  /** What its address names; the first group where it is not said. */
  inAddress?: string;
  /** A command that is refused; none where it takes nothing. */
  wrong?: Record<string, unknown>;
  /** Where the form leads. */
  leadsTo: RegExp;
};

/** Leaving is last: the files lie in a group. Ada, who came first, is an administrator. */
const { groups: ofGroups, files, voice, ...others } = ACCOUNT_OPERATIONS;
/** Not those that take what is made elsewhere: see `tests/inbox/`, `tests/second-factors/`, `tests/tokens/`, `tests/imports/`. */
const OPERATIONS = [...files, ...voice, ...Object.values(others).flat(), ...ofGroups].filter(
  ({ name }) =>
    name !== 'open-line' &&
    !['remove-passkey', 'revoke-token', 'start-import', 'discard-import'].includes(name),
);
const SAVED = /^\/account\?changed=profile$/;
const NOTIFICATIONS_SAVED = /^\/notifications\?done=saved$/;

/** One for each operation of the tables: a new operation fails here until its rules are said. */
const samplesWith = ({
  devices,
  files,
  recordings,
  codes,
  sessions,
}: Prepared): Readonly<Record<string, Sample>> => ({
  'create-group': {
    inputs: [{ name: 'Garden' }, { name: 'Kitchen' }],
    wrong: { name: '' },
    leadsTo: /^\/groups\/\d+$/,
  },
  'open-direct': {
    inputs: [{ with: '2' }, { with: [2] }],
    wrong: { with: 'joe' },
    leadsTo: /^\/groups\/\d+$/,
  },
  join: { inputs: [{}, { groupId: 2 }], wrong: { groupId: 'Garden' }, leadsTo: /^\/groups\/1$/ },
  leave: { inputs: [{}, { groupId: 2 }], wrong: { groupId: -1 }, leadsTo: /^\/groups$/ },
  'ask-to-join': {
    inputs: [{}, { groupId: 3 }],
    inAddress: '3',
    wrong: { groupId: -1 },
    leadsTo: /^\/groups\/3$/,
  },
  'end-session': {
    inputs: [{}, { session: sessions[1] }],
    inAddress: sessions[0],
    wrong: { session: 'this' },
    leadsTo: /^\/account\/sessions$/,
  },
  'set-email': {
    inputs: [
      { email: '', password: PASSWORD },
      { email: '', password: PASSWORD },
    ],
    wrong: { email: 'ada', password: PASSWORD },
    leadsTo: /^\/account\?changed=email$/,
  },
  'export-data': { inputs: [{}, {}], leadsTo: /^\/account\/export$/ },
  'end-other-sessions': { inputs: [{}, {}], leadsTo: /^\/account\/sessions$/ },
  'set-username': {
    inputs: [{ username: 'countess' }, { username: 'ada' }],
    wrong: { username: 'a b' },
    leadsTo: SAVED,
  },
  'set-name': {
    inputs: [{ displayName: 'Ada Lovelace' }, { displayName: 'Ada L' }],
    wrong: { displayName: 'x'.repeat(200) },
    leadsTo: SAVED,
  },
  'set-line': {
    inputs: [{ line: 'Keeper of the key' }, { line: 'Keeper' }],
    wrong: { line: 'x'.repeat(200) },
    leadsTo: SAVED,
  },
  'show-receipts': { inputs: [{ shows: 'yes' }, {}], wrong: { shows: 'perhaps' }, leadsTo: SAVED },
  'set-language': {
    inputs: [{ spokenLanguage: 'de' }, { spokenLanguage: 'fr' }],
    wrong: { spokenLanguage: 'Klingon' },
    leadsTo: SAVED,
  },
  'show-seconds': { inputs: [{ seconds: 'yes' }, { seconds: 'yes' }], wrong: { seconds: 1 }, leadsTo: SAVED },
  'link-previews': { inputs: [{}, { previews: true }], wrong: { previews: 'perhaps' }, leadsTo: SAVED },
  'add-device': {
    inputs: devices,
    wrong: { ...devices[0], endpoint: 'https://evil.example/push' },
    leadsTo: NOTIFICATIONS_SAVED,
  },
  'test-devices': { inputs: [{}, {}], leadsTo: /^\/notifications\?done=tested$/ },
  'remove-device': {
    inputs: [{}, { deviceId: 2 }],
    inAddress: '1',
    wrong: { deviceId: 'phone' },
    leadsTo: NOTIFICATIONS_SAVED,
  },
  'quiet-hours': {
    inputs: [{ from: '22:00', to: '07:00', zone: 'Europe/Berlin' }, { off: 'yes' }],
    wrong: { from: 'late' },
    leadsTo: NOTIFICATIONS_SAVED,
  },
  'discard-file': {
    inputs: [{}, { fileId: files[1] }],
    inAddress: files[0],
    wrong: { fileId: 7 },
    leadsTo: /^\/groups\/1$/,
  },
  transcribe: {
    inputs: [{}, { fileId: recordings[1] }],
    inAddress: recordings[0],
    wrong: { fileId: recordings[1], language: 'Klingon' },
    leadsTo: /^\/groups\/1\?voice=/,
  },
  'create-invitation': {
    inputs: [
      { groups: '1', uses: '5' },
      { groups: [1], validFor: 'day' },
    ],
    wrong: { uses: 0 },
    leadsTo: /^\/invitations\/\d+$/,
  },
  'revoke-invitation': {
    inputs: [{}, { invitationId: 4 }],
    inAddress: '3',
    wrong: { invitationId: 'first' },
    leadsTo: /^\/invitations$/,
  },
  'accept-invitation': {
    inputs: [{}, { code: codes[1] }],
    inAddress: codes[0],
    wrong: { code: '' },
    leadsTo: /^\/groups\/1$/,
  },
  'open-line-of': {
    inputs: [{}, { personId: 3 }],
    inAddress: '2',
    wrong: { personId: 1 },
    leadsTo: /^\/groups\/\d+$/,
  },
  'inbox-assign': {
    inputs: [{ assignee: '1' }, { groupId: 7, assignee: '' }],
    inAddress: '6',
    wrong: { groupId: 6, assignee: 2 },
    leadsTo: /^\/inbox$/,
  },
  'inbox-note': {
    inputs: [{ note: 'a note' }, { groupId: 7, note: '' }],
    inAddress: '6',
    wrong: { groupId: 6, note: 'x'.repeat(2_001) },
    leadsTo: /^\/inbox$/,
  },
  'inbox-done': {
    inputs: [{ on: 'yes' }, { groupId: 7, on: true }],
    inAddress: '6',
    wrong: { groupId: 6, on: 'perhaps' },
    leadsTo: /^\/inbox$/,
  },
  report: {
    inputs: [{ reason: 'rude' }, { groupId: 1, seq: 2, reason: 'rude' }],
    inAddress: '1',
    wrong: { groupId: 1, seq: 2, reason: '' },
    leadsTo: /^\/groups\/1\?reported=#message-1$/,
  },
  'answer-report': {
    inputs: [{ remove: 'no' }, { reportId: 2, remove: true, reason: 'rude' }],
    wrong: { reportId: 2, remove: 'perhaps' },
    leadsTo: /^\/reports$/,
  },
  'make-admin': onPerson(2, 3),
  'remove-admin': onPerson(2, 3),
  'make-guest': onPerson(2, 3),
  'make-member': onPerson(2, 3),
  suspend: onPerson(2, 3),
  unsuspend: onPerson(2, 3),
  'end-sessions': onPerson(2, 3),
  'remove-second-factor': {
    inputs: [{}, { personId: 3 }],
    inAddress: '2',
    wrong: { personId: 'joe' },
    leadsTo: /^\/admin\/people\/2$/,
  },
  'rename-person': {
    inputs: [{ username: 'joseph' }, { personId: 3, username: 'kimberly' }],
    inAddress: '2',
    wrong: { personId: 3, username: '-' },
    leadsTo: /^\/admin\/people\/2$/,
  },
  'delete-account': {
    inputs: [{ messages: 'keep' }, { personId: 5, messages: 'remove' }],
    inAddress: '4',
    wrong: { personId: 2, messages: 'burn' },
    leadsTo: /^\/admin\/people\?deleted=$/,
  },
  'delete-any-group': {
    inputs: [{ confirmation: 'Fourth' }, { groupId: 5, confirmation: 'fifth' }],
    inAddress: '4',
    wrong: { groupId: 1, confirmation: 'x' },
    leadsTo: /^\/admin\/groups\?deleted=$/,
  },
  'session-settings': {
    inputs: [
      { idleDays: '7', maxDays: '90' },
      { idleDays: '30', maxDays: 'never' },
    ],
    wrong: { idleDays: '0', maxDays: 'never' },
    leadsTo: /^\/admin\?saved=$/,
  },
  'outgoing-settings': {
    inputs: [{ allowedAddresses: '10.0.0.1, 10.1.0.0/16' }, { allowedAddresses: '', linkPreviews: true }],
    wrong: { allowedAddresses: 'localhost' },
    leadsTo: /^\/admin\?saved=$/,
  },
  'site-settings': {
    inputs: [
      { registration: 'invite', membersInvite: 'no' },
      { registration: 'open', membersInvite: true },
    ],
    wrong: { registration: 'everyone', membersInvite: 'no' },
    leadsTo: /^\/admin\?saved=$/,
  },
  'keep-messages': {
    inputs: [
      { keepDays: '30', keepMegabytes: '' },
      { keepDays: 0, keepMegabytes: 0 },
    ],
    wrong: { keepDays: 'a year' },
    leadsTo: /^\/admin\/space\?saved=$/,
  },
  'keep-messages-of-group': {
    inputs: [
      { keepDays: '30', keepMegabytes: '' },
      { groupId: 1, keepDays: 0 },
    ],
    inAddress: '1',
    wrong: { groupId: 1, keepMegabytes: '-1' },
    leadsTo: /^\/admin\/space\?saved=$/,
  },
  'hold-group': {
    inputs: [{ on: 'yes' }, { groupId: 1, on: false }],
    inAddress: '1',
    wrong: { groupId: 1, on: 'maybe' },
    leadsTo: /^\/admin\/space\?saved=$/,
  },
  'hold-all': {
    inputs: [{ on: 'yes' }, { on: false }],
    wrong: { on: 'maybe' },
    leadsTo: /^\/admin\/space\?saved=$/,
  },
  purge: {
    inputs: [{}, { backups: true }],
    wrong: { backups: 'some' },
    leadsTo: /^\/admin\/space\?purging=$/,
  },
});

/** What an administrator does to one person by form, and to another by command. */
function onPerson(form: number, command: number): Sample {
  return {
    inputs: [{}, { personId: command }],
    inAddress: String(form),
    wrong: { personId: 'joe' },
    leadsTo: new RegExp(`^/admin/people/${form}$`),
  };
}

/** What some of them need to be there. */
type Prepared = {
  devices: readonly [Record<string, string>, Record<string, string>];
  files: readonly [string, string];
  recordings: readonly [string, string];
  codes: readonly [string, string];
  sessions: readonly [string, string];
};

test('every operation of an account works by form and by command, and is refused without a session', async (t) => {
  const service = await startPushService(t);
  const hearth = await startHearthProcess(t, { env: service.env });
  const ada = await newPerson(hearth.url, 'ada', 1);
  const upload = async (path: string, file: File, fields = {}) => {
    const { body } = await ada.upload(path, [file], fields, { 'hx-request': 'true' });
    return /data-file="([^"]+)"/.exec(body)?.[1] ?? assert.fail(body);
  };
  const text = () =>
    upload('/groups/1/files', { name: 'a.txt', type: 'text/plain', bytes: Buffer.from('a') });
  const code = async () => {
    const { location } = await ada.post('/invitations', { groups: '1' });
    return (
      /[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2}/.exec((await ada.get(location)).body)?.[0] ?? assert.fail(location)
    );
  };
  const otherSessions = async (): Promise<[string, string]> => {
    for (let count = 0; count < 2; count++)
      await new Visitor(hearth.url).post('/login', { username: 'ada', password: PASSWORD });
    const { body } = await ada.get('/account/sessions');
    const [first, second] = [...body.matchAll(/sessions\/(\d+)\/end/g)].map((match) => match[1] ?? '');
    return [first ?? '', second ?? ''];
  };
  const record = () => upload('/groups/1/voice', recording('ogg'), { language: 'none' });
  const samples = samplesWith({
    devices: [service.subscribe('A phone'), service.subscribe('A desk')],
    files: [await text(), await text()],
    recordings: [await record(), await record()],
    codes: [await code(), await code()],
    sessions: await otherSessions(),
  });
  assert.deepEqual(OPERATIONS.map((operation) => operation.name).toSorted(), Object.keys(samples).toSorted());
  const [joe, mina] = await Promise.all(['joe', 'mina'].map((name) => newPerson(hearth.url, name)));
  for (const person of [joe, mina])
    await person?.post('/account/second-factor/set-up', { password: PASSWORD });
  await joe?.post('/groups', { name: 'Shed', closed: 'yes' });
  for (const name of ['Fourth', 'Fifth']) await joe?.post('/groups', { name });
  for (const name of ['kim', 'lea']) await newPerson(hearth.url, name);
  await joe?.post('/groups/1/join');
  for (const content of ['one', 'two']) await joe?.post('/groups/1/messages', { content });
  const nobody = new Visitor(hearth.url);
  // A changed profile closes the sockets of its account, which come back.
  const command = async (frame: object): Promise<Frame> => {
    const socket = await ada.socket('/ws');
    const id = randomUUID();
    socket.send({ ...frame, id });
    const answer = await socket.next((text) => JSON.parse(text).id === id);
    socket.close();
    return JSON.parse(answer);
  };

  for (const { name, path } of OPERATIONS) {
    const sample = samples[name];
    assert.ok(sample);
    const [form, frame] = sample.inputs;
    const address = path.replace(/:\w+/, sample.inAddress ?? '1').replace(/:\w+/, '1');
    assert.equal((await nobody.post(address, form)).status, 401, name);
    const done = await ada.post(address, form);
    assert.equal(done.status, 303, `${name}: ${done.body}`);
    assert.match(done.location, sample.leadsTo);
    const ack = await command({ type: name, ...frame });
    assert.equal(ack.type, 'ack', name);
    if (ofGroups.some((operation) => operation.name === name))
      assert.equal(typeof ack.groupId, 'number', name);
    if (sample.wrong) assert.equal((await command({ type: name, ...sample.wrong })).code, 'invalid', name);
  }
  const page = (await ada.get('/groups')).body;
  for (const group of ['Garden', 'Kitchen'])
    assert.match(page, new RegExp(`<span class="group-name" dir="auto">${group}<`));
  assert.equal((await ada.get('/groups/1')).status, 403, 'left');
  assert.equal((await ada.post('/groups/abc/join')).status, 404);
});
