import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import { messageOperations } from '../../src/messages/operations.ts';
import { type Frame, newPerson, Visitor } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';

type Sample = {
  /** What the operation takes, as a form and as a socket command. */
  input: Record<string, string>;
  /** Something that it does not take, and the sentence that says so. */
  wrong?: [input: Record<string, string>, sentence: RegExp];
  /** Whether only the author may, so that another member is refused. */
  isForAuthor: boolean;
};

/** One for each operation of the table: a new operation fails here until its rules are said. */
const SAMPLES: Readonly<Record<string, Sample>> = {
  edit: { input: { content: 'changed' }, wrong: [{ content: '' }, /Write something/], isForAuthor: true },
  remove: { input: {}, isForAuthor: true },
  react: { input: { emoji: '👍', on: 'yes' }, wrong: [{ emoji: 'no' }, /one emoji/], isForAuthor: false },
  pin: { input: { on: 'yes' }, wrong: [{ on: 'perhaps' }, /./], isForAuthor: false },
  save: { input: { on: 'yes' }, wrong: [{ on: 'perhaps' }, /./], isForAuthor: false },
  heard: { input: {}, isForAuthor: false },
  unread: { input: {}, isForAuthor: false },
  follow: { input: { on: 'yes' }, wrong: [{ on: 'perhaps' }, /./], isForAuthor: false },
  'read-thread': {
    input: { upTo: '1' },
    wrong: [{ upTo: 'all' }, /./],
    isForAuthor: false,
  },
};

test('every operation on a message has its rules said here, and no two share a name or an address', () => {
  const names = messageOperations.map((operation) => operation.name);
  assert.deepEqual(names.toSorted(), Object.keys(SAMPLES).toSorted());
  for (const key of ['name', 'path'] as const)
    assert.equal(new Set(messageOperations.map((operation) => operation[key])).size, names.length);
});

test('every operation works at both doors for those who may, and is refused at both for the others', async (t) => {
  const hearth = await startHearth(t);
  // The first account is an administrator, who may remove anything.
  await newPerson(hearth.url, 'admin');
  const ada = await newPerson(hearth.url, 'ada', 1);
  const joe = await newPerson(hearth.url, 'joe', 1);
  const stranger = await newPerson(hearth.url, 'stranger');
  const nobody = new Visitor(hearth.url);
  const sockets = { ada: await ada.socket('/ws/chat/1'), joe: await joe.socket('/ws/chat/1') };
  let lastSeq = 0;
  const sent = async () => {
    await ada.post('/groups/1/messages', { content: `a message, ${randomUUID()}` });
    lastSeq += 1;
    return lastSeq;
  };
  const command = async (who: 'ada' | 'joe', frame: Record<string, unknown>): Promise<Frame> => {
    const id = randomUUID();
    sockets[who].send({ ...frame, id });
    return JSON.parse(
      await sockets[who].next((text) => {
        const answer: Frame = JSON.parse(text);
        return (
          (answer.type === 'ack' && answer.seq === frame.seq) || (answer.type === 'error' && answer.id === id)
        );
      }),
    );
  };

  for (const { name, path } of messageOperations) {
    const sample = SAMPLES[name];
    assert.ok(sample, name);
    const { input, wrong, isForAuthor } = sample;
    const address = (seq: number) => `/groups/1/${path.replace(':seq', String(seq))}`;

    assert.equal((await ada.post(address(await sent()), input)).status, 303, `${name}: a form`);
    const fragment = await ada.post(address(await sent()), input, { 'hx-request': 'true' });
    assert.equal(fragment.status, 204, `${name}: a script's form`);
    const ack = await command('ada', { type: name, seq: await sent(), ...input });
    assert.deepEqual([ack.type, ack.seq], ['ack', lastSeq], `${name}: a command`);

    const seq = await sent();
    const byMember = (await joe.post(address(seq), input)).status;
    assert.equal(byMember, isForAuthor ? 403 : 303, `${name}: another member's form`);
    const answer = await command('joe', { type: name, seq: await sent(), ...input });
    assert.equal(answer.type, isForAuthor ? 'error' : 'ack', `${name}: another member's command`);
    if (isForAuthor) assert.equal(answer.code, 'forbidden');

    assert.equal((await stranger.post(address(seq), input)).status, 403, `${name}: no member`);
    assert.equal((await nobody.post(address(seq), input)).status, 401, `${name}: not signed in`);
    assert.equal((await ada.post(address(9_999), input)).status, 404, `${name}: no such message`);
    assert.equal((await command('ada', { type: name, seq: 9_999, ...input })).code, 'not_found', name);
    if (!wrong) continue;
    const refused = await ada.post(address(await sent()), wrong[0]);
    assert.equal(refused.status, 400, name);
    assert.match(refused.body, wrong[1]);
    assert.equal((await command('ada', { type: name, seq: lastSeq, ...wrong[0] })).type, 'error', name);
  }
  const outside = await stranger.socket('/ws/chat/1');
  assert.equal((await outside.closed).code, 4403, 'no member has the commands');
});
