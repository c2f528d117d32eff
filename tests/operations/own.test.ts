import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import { ownOperations } from '../../src/groups/own-operations.ts';
import { type Frame, newPerson, Visitor } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';

type Sample = {
  /** Once as a form and once as a command, so that neither repeats the other. */
  inputs: readonly [form: Record<string, string>, command: Record<string, unknown>];
  wrong: Record<string, unknown>;
  /** Where the form leads. */
  leadsTo: RegExp;
};

/** One for each operation of the table: a new operation fails here until its rules are said. */
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
};

test('every operation of an account works by form and by command, and is refused without a session', async (t) => {
  assert.deepEqual(
    ownOperations.map((operation) => operation.name).toSorted(),
    Object.keys(SAMPLES).toSorted(),
  );
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  await newPerson(hearth.url, 'joe');
  const nobody = new Visitor(hearth.url);
  const socket = await ada.socket('/ws');
  const command = async (frame: object): Promise<Frame> => {
    const id = randomUUID();
    socket.send({ ...frame, id });
    return JSON.parse(await socket.next((text) => JSON.parse(text).id === id));
  };

  for (const { name, path } of ownOperations) {
    const sample = SAMPLES[name];
    assert.ok(sample);
    const [form, frame] = sample.inputs;
    const address = path.replace(':groupId', '1');
    assert.equal((await nobody.post(address, form)).status, 401, name);
    const done = await ada.post(address, form);
    assert.equal(done.status, 303, `${name}: ${done.body}`);
    assert.match(done.location, sample.leadsTo);
    const ack = await command({ type: name, ...frame });
    assert.deepEqual([ack.type, typeof ack.groupId], ['ack', 'number'], name);
    assert.equal((await command({ type: name, ...sample.wrong })).code, 'invalid', name);
  }
  const page = (await ada.get('/groups')).body;
  for (const group of ['Garden', 'Kitchen'])
    assert.match(page, new RegExp(`<span class="group-name">${group}<`));
  assert.equal((await ada.get('/groups/1')).status, 403, 'left');
  assert.equal((await ada.post('/groups/abc/join')).status, 404);
});
