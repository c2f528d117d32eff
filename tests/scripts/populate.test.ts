import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { Visitor } from '../support/client.ts';
import { ON_SQLITE, runCommand, runToEnd, startHearthProcess, temporaryFolder } from '../support/hearth.ts';

test(
  'populate fills a folder that people can sign in to, and leaves one alone that holds data',
  ON_SQLITE,
  async (t) => {
    const dataDir = join(temporaryFolder(t), 'data');
    const args = ['--data', dataDir, '--messages', '600', '--people', '8', '--groups', '4'];
    const { code, stdout, stderr } = await runToEnd(args, {}, 'scripts/populate.ts');
    assert.equal(code, 0, stderr);
    const [, name = '', password = ''] = /Sign in as (\w+),.*password: (.+)\n/.exec(stdout) ?? [];
    const log = await runCommand('check-log', ['--data', dataDir]);
    assert.match(log.stdout, /The log is whole: 1 entry/);
    const hearth = await startHearthProcess(t, { dataDir });
    const person = new Visitor(hearth.url);
    assert.equal((await person.post('/login', { username: name, password })).status, 303);
    const { body } = await person.get('/groups/1');
    assert.equal(body.match(/data-live="message"/g)?.length, 50);
    assert.ok(/class="reaction/.test(body) && /class="day"/.test(body));
    await hearth.stop();

    const again = await runToEnd(args, {}, 'scripts/populate.ts');
    assert.deepEqual([again.code, /holds data already/.test(again.stderr)], [2, true]);
    const wrong = await runToEnd(['--messages', 'many'], {}, 'scripts/populate.ts');
    assert.deepEqual([wrong.code, /takes a whole number/.test(wrong.stderr)], [2, true]);
  },
);
