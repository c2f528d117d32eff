import assert from 'node:assert/strict';
import test from 'node:test';
import { createLimits } from '../../src/limits.ts';

test('the addresses of one IPv6 network count together, those of IPv4 and names each for itself', async () => {
  const limit = createLimits(true).of({ name: 'tries', points: 1, seconds: 60, sentence: 'Too many.' });
  assert.ok(await limit.tryConsume('2001:db8:1:2::1'));
  for (const same of ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', '2001:0db8:0001:0002:0:0:0:3'])
    assert.ok(!(await limit.tryConsume(same)), same);
  for (const other of [
    '2001:db8:1:3::1',
    '2001:db8::1',
    '::1',
    '::ffff:10.0.0.1',
    '::ffff:10.0.0.2',
    '10.0.0.1',
    '10.0.0.2',
    'ada',
    '7',
  ])
    assert.ok(await limit.tryConsume(other), other);
  await limit.reset('2001:db8:1:2::77');
  assert.ok(await limit.tryConsume('2001:db8:1:2::1'));
});
