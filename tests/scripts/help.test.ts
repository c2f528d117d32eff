import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { ROOT, runCommand } from '../support/hearth.ts';

test('every command says with --help how it is used, and does nothing else', async () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const names = Object.keys(scripts).filter((name) => scripts[name] === `node command.js ${name}`);
  assert.ok(names.length > 10);
  for (const name of names) {
    const { code, stdout } = await runCommand(name, ['--help']);
    assert.equal(code, 0, name);
    assert.match(stdout, name === 'chat' ? /^hearth \[ADDRESS\]/ : new RegExp(`npm run ${name}\\b`), name);
  }
});
