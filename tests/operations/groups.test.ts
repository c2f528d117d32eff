import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import { type Frame, newPerson, type Socket } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';
import { GROUP_OPERATIONS } from '../support/operations.ts';

type Sample = {
  input: Record<string, string>;
  wrong: Record<string, string>;
  isForOwner: boolean;
  /** For what can be done once: what the command takes after the form. */
  second?: Record<string, string>;
};

/** One for each operation of the table: a new operation fails here until its rules are said. */
const SAMPLES: Readonly<Record<string, Sample>> = {
  'notification-level': { input: { bell: 'nothing' }, wrong: { bell: 'loudly' }, isForOwner: false },
  rename: { input: { name: 'Vegetables' }, wrong: { name: '' }, isForOwner: true },
  'voice-settings': {
    input: { corrections: 'members', spokenLanguage: 'de' },
    wrong: { corrections: 'nobody', spokenLanguage: '' },
    isForOwner: true,
  },
  rules: {
    input: { access: 'closed', posting: 'owners' },
    wrong: { access: 'secret', posting: 'owners' },
    isForOwner: true,
  },
  'slow-mode': { input: { seconds: '30' }, wrong: { seconds: '31' }, isForOwner: true },
  topic: { input: { topic: 'Leeks' }, wrong: { topic: 'x'.repeat(251) }, isForOwner: true },
  archive: { input: { on: 'no' }, wrong: { on: 'perhaps' }, isForOwner: true },
  'make-owner': { input: { accountId: '4' }, wrong: { accountId: 'joe' }, isForOwner: true },
  'transfer-ownership': {
    input: { accountId: '4' },
    wrong: { accountId: 'joe' },
    isForOwner: true,
  },
  'remove-owner': {
    input: { accountId: '4' },
    second: { accountId: '5' },
    wrong: { accountId: 'joe' },
    isForOwner: true,
  },
  'remove-member': {
    input: { accountId: '4' },
    second: { accountId: '5' },
    wrong: { accountId: 'joe' },
    isForOwner: true,
  },
  'add-incoming-webhook': {
    input: { name: 'poster' },
    wrong: { name: 'a b' },
    second: { name: 'poster2' },
    isForOwner: true,
  },
  'add-outgoing-webhook': {
    input: { name: 'weather', url: 'https://example.org', trigger: 'mention' },
    second: { name: 'weather2', url: 'https://example.org', trigger: 'command', command: 'weather' },
    wrong: { name: 'weather', url: 'https://example.org', trigger: 'command' },
    isForOwner: true,
  },
  'renew-webhook': onWebhook(),
  'retry-webhook': onWebhook(),
  'remove-webhook': { ...onWebhook(), second: { webhookId: '2' } },
  'add-bot': { input: { accountId: '8' }, wrong: { accountId: 'helper' }, isForOwner: true },
  'delete-group': {
    input: { confirmation: 'Vegetables' },
    wrong: { confirmation: 'Flowers' },
    isForOwner: true,
  },
  'answer-request': {
    input: { accountId: '6', accept: 'yes' },
    second: { accountId: '7', accept: 'no' },
    wrong: { accountId: '6', accept: 'perhaps' },
    isForOwner: true,
  },
};

/** What is done to the first of the group. */
function onWebhook(): Sample {
  return { input: { webhookId: '1' }, wrong: { webhookId: 'first' }, isForOwner: true };
}

test('every operation on a group works at both doors for those who may, and is refused for the others', async (t) => {
  assert.deepEqual(
    GROUP_OPERATIONS.map((operation) => operation.name).toSorted(),
    Object.keys(SAMPLES).toSorted(),
  );
  const hearth = await startHearth(t);
  const admin = await newPerson(hearth.url, 'admin');
  const ada = await newPerson(hearth.url, 'ada');
  await ada.post('/groups', { name: 'Garden' });
  const joe = await newPerson(hearth.url, 'joe', 3);
  for (const name of ['kim', 'mina']) await newPerson(hearth.url, name, 3);
  await ada.post('/groups/3/make-owner', { accountId: '5' });
  await ada.post('/groups/3/rules', { access: 'closed', posting: 'members' });
  for (const name of ['bob', 'zoe']) await (await newPerson(hearth.url, name)).post('/groups/3/ask');
  await admin.post('/admin/bots', { name: 'helper' });
  const stranger = await newPerson(hearth.url, 'stranger');
  const adaSocket = await ada.socket('/ws/chat/3');
  const joeSocket = await joe.socket('/ws/chat/3');
  const command = async (socket: Socket, frame: object): Promise<Frame> => {
    const id = randomUUID();
    socket.send({ ...frame, id });
    return JSON.parse(await socket.next((text) => JSON.parse(text).id === id));
  };

  // Nothing of the owner's can follow these two: `tests/groups/closed.test.ts` has the first.
  const isFinal = (name: string) => ['transfer-ownership', 'delete-group'].includes(name);
  for (const { name, path } of GROUP_OPERATIONS.filter((operation) => !isFinal(operation.name))) {
    const sample = SAMPLES[name];
    assert.ok(sample);
    const { input, wrong, isForOwner, second = input } = sample;
    const addressWith = ({ webhookId = '' }: Record<string, string>) =>
      `/groups/3/${path.replace(':webhookId', webhookId)}`;
    const address = addressWith(input);
    assert.equal((await joe.post(address, input)).status, isForOwner ? 403 : 303, name);
    const answer = await command(joeSocket, { type: name, ...input });
    assert.equal(answer.type, isForOwner ? 'error' : 'ack', name);
    assert.equal((await stranger.post(address, input)).status, 403, name);
    assert.equal((await ada.post(addressWith(wrong), wrong)).status, 400, name);
    assert.equal((await command(adaSocket, { type: name, ...wrong })).code, 'invalid', name);
    assert.equal((await ada.post(address, input)).status, 303, name);
    assert.equal((await command(adaSocket, { type: name, ...second })).type, 'ack', name);
  }
  const settings = (await ada.get('/groups/3/settings')).body;
  assert.match(settings, /value="Vegetables"/);
  assert.match(settings, /<option value="de" selected>/);
  assert.doesNotMatch(
    (await joe.get('/groups/3/settings')).body,
    /voice-settings/,
    'no button for what is refused',
  );
  // Nothing can follow it.
  const { input, wrong } = SAMPLES['delete-group'] ?? assert.fail();
  assert.equal((await joe.post('/groups/3/delete-group', input)).status, 403);
  assert.equal((await command(joeSocket, { type: 'delete-group', ...input })).code, 'forbidden');
  assert.equal((await command(adaSocket, { type: 'delete-group', ...wrong })).code, 'invalid');
  const refused = await ada.post('/groups/3/delete-group', wrong);
  assert.deepEqual([refused.status, /Type “Vegetables” to delete/.test(refused.body)], [400, true]);
  assert.equal((await ada.post('/groups/3/delete-group', input)).location, '/groups?deleted=');
});
