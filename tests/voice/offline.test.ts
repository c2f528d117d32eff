import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { ROOT } from '../support/hearth.ts';

/** Runs a command where there is no network but this machine's own: namespaces of Linux, network_namespaces(7). */
function cutOff(...command: string[]) {
  const { NODE_TEST_CONTEXT, ...env } = process.env;
  const script = 'ip link set lo up && exec "$@"';
  const args = ['--net', '--map-root-user', 'sh', '-c', script, 'sh', ...command];
  return spawnSync('unshare', args, { cwd: ROOT, env, encoding: 'utf8' });
}

test('with the network cut off, what is spoken is sent, written down, found and played', (t) => {
  if (cutOff('true').status !== 0) return t.skip('This machine makes no network namespaces.');
  const outside = cutOff(
    'node',
    '-e',
    'fetch("http://192.0.2.1").catch((error) => console.log(error.cause.code))',
  );
  assert.equal(outside.stdout.trim(), 'ENETUNREACH');
  const pattern = '--test-name-pattern=a voice message is sent at once';
  const file = 'tests/voice/doors.test.ts';
  const run = cutOff(process.execPath, '--import', 'tsx', '--test', '--test-reporter=tap', pattern, file);
  assert.equal(run.status, 0, run.stdout);
  assert.match(run.stdout, /^ok 1 - a voice message is sent at once(?!.*SKIP)/m);
});
