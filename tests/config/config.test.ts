import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { readCommand } from '../../src/config.ts';
import { StartError } from '../../src/errors.ts';
import { FLAGS } from '../../src/flags.ts';
import type { Setting } from '../../src/setting-schemas.ts';
import { VARIABLES } from '../../src/settings.ts';
import { ROOT, runToEnd, startHearthProcess, temporaryFolder } from '../support/hearth.ts';

const read = (args: string[], env: Record<string, string> = {}) => readCommand(args, env, '1.2.3');

test('without a flag it is plain HTTP on 127.0.0.1:8000, with data in data', () => {
  const command = read([]);
  assert.ok(command.kind === 'start');
  assert.deepEqual(
    [command.config.host, command.config.port, command.config.tls, command.config.dataDir],
    ['127.0.0.1', 8000, false, 'data'],
  );
});

test('with --tls the port is 8443, unless it is given', () => {
  const port = (...args: string[]) => {
    const command = read(args);
    return command.kind === 'start' && command.config.port;
  };
  assert.equal(port('--tls'), 8443);
  assert.equal(port('--tls', '--port', '9000'), 9000);
});

test('a line of .env that is no setting is named, and takes no other with it', async (t) => {
  const folder = temporaryFolder(t);
  const start = (text: string) => {
    writeFileSync(join(folder, '.env'), text);
    const args = [join(ROOT, 'start.js'), '--http-port', '1'];
    return spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' }).stderr;
  };
  const sentence = (line: string) =>
    `The line "${line}" in .env is no setting: write NAME=value, or # before a note.\n`;
  assert.equal(start('Who may come in\nREGISTRATION=closed\n'), sentence('Who may come in'));
  assert.equal(start('RATE_LIMITS: off\nPASSWORD_COST=9\n'), sentence('RATE_LIMITS: off'));
  const fine = '# a note\n\nexport REGISTRATION = closed\nOTHER.NAME=1\nORIGINS="https://a.example"\n';
  assert.match(start(fine), /--http-port goes with --tls/);
});

test('a flag, a port or a value that is not understood ends the start with one sentence that names it', () => {
  const refusals: Array<[string[], Record<string, string>, RegExp]> = [
    [['--prot', '1'], {}, /--prot/],
    [['--port', 'eighty'], {}, /--port takes a number/],
    [['--host', ''], {}, /--host takes an address, not an empty text/],
    [['--backup-to', ''], {}, /--backup-to takes a folder, not an empty text/],
    [['--port', '70000'], {}, /--port takes a number from 0 to 65535/],
    [['--http-port', '8000'], {}, /--http-port goes with --tls/],
    [['--certfile', 'own.pem'], {}, /--certfile and --keyfile go with --tls/],
    [['--seal', 'keys'], {}, /--every, --keep and --seal go with --backup-to/],
    [['--every', '1h'], {}, /--every, --keep and --seal go with --backup-to/],
    [['stray'], {}, /stray/],
    [[], { LOG_LEVEL: 'loud' }, /LOG_LEVEL takes fatal, error/],
    [[], { RATE_LIMITS: 'maybe' }, /RATE_LIMITS takes on, off/],
    [[], { SHOW_ADDRESSES: 'friends' }, /SHOW_ADDRESSES takes everyone/],
    [[], { EDIT_LIMIT_MINUTES: 'soon' }, /EDIT_LIMIT_MINUTES takes a whole number of minutes/],
    [[], { SESSION_SECRET: 'short' }, /SESSION_SECRET takes at least 16/],
    [[], { ASSET_VERSION: '../etc' }, /ASSET_VERSION/],
    [[], { SMTP_URL: 'smtps://me:pass/word#hidden@mail.example' }, /^SMTP_URL is no address(?!.*hidden)/],
    [[], { SMTP_URL: 'smtp://me:hid%den@mail.example' }, /^SMTP_URL is no address(?!.*hid%)/],
    [[], { REDIS_URL: 'redis://:hid#den@127.0.0.1:6379' }, /^REDIS_URL is no address(?!.*hid#)/],
  ];
  for (const [args, env, sentence] of refusals) {
    assert.throws(
      () => read(args, env),
      (error) => error instanceof StartError && sentence.test(error.message),
      `${sentence}`,
    );
  }
});

test('--help lists every flag and variable, and the README has the same table', () => {
  const command = read(['--help']);
  assert.ok(command.kind === 'print');
  const names = [...command.text.matchAll(/^ {2}(--[\w-]+|[A-Z_]+)/gm)].map((match) => match[1] ?? '');
  const settings = [...Object.values<Setting>(FLAGS), ...Object.values<Setting>(VARIABLES)];
  assert.deepEqual(
    names,
    settings.map(({ name }) => name),
  );
  const row = ({ name, value, fallback, meaning }: Setting) =>
    `| \`${[name, value].filter(Boolean).join(' ')}\` | ${fallback} | ${meaning} |`;
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  for (const setting of settings)
    assert.ok(readme.includes(row(setting)), `the README lacks ${row(setting)}`);
});

test('the program exits with 2 and one sentence where it cannot start', async (t) => {
  const folder = temporaryFolder(t);
  const taken = createServer().listen(0, '127.0.0.1');
  t.after(() => taken.close());
  await new Promise((resolve) => taken.once('listening', resolve));
  const address = taken.address();
  const port = typeof address === 'object' && address ? String(address.port) : '';
  const file = join(folder, 'a-file');
  writeFileSync(file, 'not a folder');
  mkdirSync(join(folder, 'odd'));
  writeFileSync(join(folder, 'cert.pem'), 'nonsense');
  writeFileSync(join(folder, 'key.pem'), 'nonsense');
  chmodSync(join(folder, 'key.pem'), 0o600);

  const starts: Array<[string[], RegExp]> = [
    [['--nonsense'], /--nonsense/],
    [['--port', port, '--data', join(folder, 'one')], /already in use/],
    [['--port', '0', '--data', join(file, 'data')], /cannot be written/],
    [
      ['--port', '0', '--tls', '--certfile', join(folder, 'none.pem'), '--keyfile', join(folder, 'key.pem')],
      /does not exist/,
    ],
    [
      ['--port', '0', '--tls', '--certfile', join(folder, 'cert.pem'), '--keyfile', join(folder, 'key.pem')],
      /not a certificate/,
    ],
  ];
  const results = await Promise.all(starts.map(([args]) => runToEnd(args)));
  results.forEach(({ code, stderr, stdout }, index) => {
    assert.equal(code, 2, stderr);
    assert.match(stderr, starts[index]?.[1] ?? /never/);
    assert.equal(stderr.trim().split('\n').length, 1, 'one line, no stack');
    assert.equal(stdout, '');
  });
});

test('a data folder that another Hearth holds is refused, and free again when that one was killed', async (t) => {
  const first = await startHearthProcess(t);
  const second = await runToEnd(['--port', '0', '--data', first.dataDir]);
  assert.equal(second.code, 2);
  assert.match(second.stderr, /Another Hearth is using the data folder/);
  await first.kill();
  const third = await startHearthProcess(t, { dataDir: first.dataDir });
  assert.equal(await third.stop(), 0);
});

test('it prints one line when it listens, and stops with 0 within five seconds of SIGTERM', async (t) => {
  const hearth = await startHearthProcess(t);
  assert.match(hearth.output().stdout, /^Hearth is at http:\/\/127\.0\.0\.1:\d+\n$/);
  const started = Date.now();
  assert.equal(await hearth.stop(), 0);
  assert.ok(Date.now() - started < 5_000);
});

test('--version prints the version of package.json', async () => {
  const { code, stdout } = await runToEnd(['--version']);
  assert.equal(code, 0);
  assert.equal(stdout.trim(), JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version);
});
