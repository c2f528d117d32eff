import assert from 'node:assert/strict';
import test from 'node:test';
import { runSql } from '../support/rows.ts';
import { openStores } from '../support/stores.ts';

const entry = (person: string) => ({
  at: 1_800_000_000_000,
  actorId: 1,
  action: 'suspend',
  details: { person, personId: '2' },
});

test('an entry that is changed, moved, put in or removed is found, also at the end', async (t) => {
  const tamperings: readonly [sql: string, firstWrongId: number | undefined][] = [
    ["UPDATE audit_log SET action = 'unsuspend' WHERE id = 2", 2],
    ['UPDATE audit_log SET actor_id = 3 WHERE id = 1', 1],
    ['UPDATE audit_log SET at = at + 1 WHERE id = 4', 4],
    ['UPDATE audit_log SET details = (SELECT details FROM audit_log WHERE id = 3) WHERE id = 2', 2],
    ['DELETE FROM audit_log WHERE id = 3', 4],
    ['DELETE FROM audit_log WHERE id = 1', 2],
    ['INSERT INTO audit_log SELECT 6, at, actor_id, action, details, hash FROM audit_log WHERE id = 5', 6],
    ['DELETE FROM audit_log WHERE id = 5', undefined],
    ['DELETE FROM audit_log', undefined],
    ['DELETE FROM audit_log WHERE id = 5; UPDATE audit_head SET entries = 4', undefined],
    ['DELETE FROM audit_log; DELETE FROM audit_head', undefined],
  ];
  for (const [sql, firstWrongId] of tamperings) {
    const { audit, dataDir } = await openStores(t);
    for (const person of ['joe', 'mina', 'bob', 'zoe', 'kim']) await audit.add(entry(person));
    assert.deepEqual(await audit.check(), { entries: 5, firstWrongId: undefined, isCutOff: false });
    await runSql(dataDir, 'users', sql);
    const check = await audit.check();
    assert.equal(check.firstWrongId, firstWrongId, sql);
    assert.ok(firstWrongId !== undefined || check.isCutOff, sql);
  }
});

test('a log that was begun is never empty, and entries at once are numbered without a gap', async (t) => {
  const { audit } = await openStores(t);
  for (const _start of [1, 2]) await audit.begin(1_800_000_000_000);
  assert.deepEqual(await audit.check(), { entries: 1, firstWrongId: undefined, isCutOff: false });
  await Promise.all(Array.from({ length: 20 }, (_, index) => audit.add(entry(`person ${index}`))));
  assert.deepEqual(await audit.check(), { entries: 21, firstWrongId: undefined, isCutOff: false });
  const [newest] = await audit.before(Number.MAX_SAFE_INTEGER, 1);
  assert.equal(newest?.id, 21);
});
