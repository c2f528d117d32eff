import assert from 'node:assert/strict';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import test from 'node:test';
import { BCRYPT_COST } from '../../src/settings.ts';
import { realPasswords } from '../support/stores.ts';

test('a password matches its own hash of cost 12 only, and counts to its last character', async (t) => {
  const passwords = realPasswords(t, BCRYPT_COST);
  const long = 'x'.repeat(255);
  const hash = await passwords.hash(`${long}a`);
  assert.match(hash, /^\$2[aby]\$12\$/);
  assert.equal(await passwords.matches(`${long}a`, hash), true);
  assert.equal(await passwords.matches(`${long}b`, hash), false);
});

test('nothing matches an account that is not there, and finding out costs a full comparison', async (t) => {
  const passwords = realPasswords(t, BCRYPT_COST);
  const hash = await passwords.hash('correct horse');
  const timed = async (against: string | undefined) => {
    const started = performance.now();
    assert.equal(await passwords.matches('wrong horse', against), false);
    return performance.now() - started;
  };
  await timed(hash);
  const [wrong, unknown] = [await timed(hash), Math.min(await timed(undefined), await timed(''))];
  // Not a measurement: without a comparison, the unknown name would answer a hundred times sooner.
  assert.ok(unknown > wrong / 4, `${unknown} ms against ${wrong} ms`);
});

test('hashing leaves the event loop free', async (t) => {
  const passwords = realPasswords(t, BCRYPT_COST);
  await passwords.hash('warm the worker');
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  await Promise.all([passwords.hash('one'), passwords.hash('two'), passwords.hash('three')]);
  delay.disable();
  // One comparison on this thread would hold it for its whole quarter of a second.
  assert.ok(delay.percentile(50) / 1e6 < 60, `median ${delay.percentile(50) / 1e6} ms`);
});
