import assert from 'node:assert/strict';
import test from 'node:test';
import { createLocalBus } from '../../src/bus/local.ts';
import { Announcer } from '../../src/messages/announce.ts';
import { messagesChanged } from '../../src/messages/events.ts';

test('a message that is sent again is told of, for the process that committed it may have been killed before', async () => {
  const report = (error: unknown) => assert.fail(String(error));
  const told: { groupId: number; seqs: number[] }[] = [];
  const announcer = (isAlone: boolean) => {
    const bus = createLocalBus(report);
    bus.subscribe(messagesChanged, ({ groupId, messages }) => {
      told.push({ groupId, seqs: messages.map(({ seq }) => seq) });
    });
    return new Announcer({
      ...bus,
      ...{ isAlone, report },
      groups: { everyKind: async () => [] },
      messages: { changesAfter: async () => [] },
    });
  };
  const again = [
    { groupId: 1, seq: 8, change: 12 },
    { groupId: 1, seq: 7, change: 11 },
    { groupId: 2, seq: 3, change: 3 },
  ];
  await announcer(true).repeat(again);
  assert.deepEqual(told, [], 'one process alone was told when it committed');
  await announcer(false).repeat(again);
  assert.deepEqual(told, [
    { groupId: 2, seqs: [3] },
    { groupId: 1, seqs: [7] },
    { groupId: 1, seqs: [8] },
  ]);
});
