import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import { ownOperations } from '../../src/groups/own-operations.ts';
import { profileOperations } from '../../src/profiles/operations.ts';
import { type Frame, newPerson, Visitor } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';

type Sample = {
  /** Once as a form and once as a command, so that neither repeats the other. */
  inputs: readonly [form: Record<string, string>, command: Record<string, unknown>];
  wrong: Record<string, unknown>;
  /** Where the form leads. */
  leadsTo: RegExp;
};

const OPERATIONS = [...ownOperations, ...profileOperations];
const SAVED = /^\/account\?changed=profile$/;

/** One for each operation of the tables: a new operation fails here until its rules are said. */
const SAMPLES: Readonly<Record<string, Sample>> = {
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
};

test('every operation of an account works by form and by command, and is refused without a session', async (t) => {
  assert.deepEqual(OPERATIONS.map((operation) => operation.name).toSorted(), Object.keys(SAMPLES).toSorted());
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  await newPerson(hearth.url, 'joe');
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
    const sample = SAMPLES[name];
    assert.ok(sample);
    const [form, frame] = sample.inputs;
    const address = path.replace(':groupId', '1');
    assert.equal((await nobody.post(address, form)).status, 401, name);
    const done = await ada.post(address, form);
    assert.equal(done.status, 303, `${name}: ${done.body}`);
    assert.match(done.location, sample.leadsTo);
    const ack = await command({ type: name, ...frame });
    assert.equal(ack.type, 'ack', name);
    const isOfGroups = ownOperations.some((operation) => operation.name === name);
    assert.equal(typeof ack.groupId, isOfGroups ? 'number' : 'undefined', name);
    assert.equal((await command({ type: name, ...sample.wrong })).code, 'invalid', name);
  }
  const page = (await ada.get('/groups')).body;
  for (const group of ['Garden', 'Kitchen'])
    assert.match(page, new RegExp(`<span class="group-name">${group}<`));
  assert.equal((await ada.get('/groups/1')).status, 403, 'left');
  assert.equal((await ada.post('/groups/abc/join')).status, 404);
});
