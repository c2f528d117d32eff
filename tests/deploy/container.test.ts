import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, statSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { validate } from 'dockerfile-utils';
import { parse } from 'yaml';
import { readCommand } from '../../src/config.ts';
import { VARIABLES } from '../../src/settings.ts';
import { ROOT, temporaryFolder } from '../support/hearth.ts';

const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');
const dockerfile = read('Dockerfile');

type Service = {
  image: string;
  command?: string[];
  environment?: Record<string, string>;
  read_only?: boolean;
  cap_drop?: string[];
  healthcheck?: object;
  ports?: string[];
  volumes?: string[];
};
type Compose = { services: Record<string, Service>; volumes: Record<string, object> };

/** Fills in what a compose file takes from the environment. */
const filledIn = (text: string) =>
  text
    .replace(/\$\{HEARTH_HOST[^}]*\}/g, 'chat.example')
    .replace(/\$\{ENCRYPTION_KEY[^}]*\}/g, 'ab'.repeat(32))
    .replace(/\$\{POSTGRES_PASSWORD[^}]*\}/g, 'secret');

const compose = (name: string): Compose => parse(filledIn(read(`deploy/${name}`)), { merge: true });

test('the Dockerfile is one, and runs as nobody special, with a health check', () => {
  assert.deepEqual(
    validate(dockerfile).map(({ message }) => message),
    [],
  );
  const [last = ''] = dockerfile.split(/^FROM /m).slice(-1);
  assert.match(last, /^USER 10001:10001$/m);
  assert.match(last, /^HEALTHCHECK /m);
  assert.doesNotMatch(last.slice(last.indexOf('USER')), /^RUN/m, 'nothing is installed as that user');
});

test('no data, key or setting of the folder gets into an image', () => {
  const ignored = read('.dockerignore').split('\n');
  for (const name of ['.env', 'deploy/.env', '.git', '/data', '/tls', '/backups', '**/node_modules'])
    assert.ok(ignored.includes(name), name);
});

test('the compose files start Hearth with flags and settings that it has', () => {
  const entry = JSON.parse(/^ENTRYPOINT (\[.+\])$/m.exec(dockerfile)?.[1] ?? '[]').slice(3);
  const known = new Set<string>(Object.values(VARIABLES).map(({ name }) => name));
  for (const name of ['compose.yml', 'compose.cluster.yml']) {
    const { services, volumes } = compose(name);
    for (const hearth of [services.hearth, services.worker ?? services.hearth]) {
      assert.ok(hearth);
      const environment = hearth.environment ?? {};
      for (const variable of Object.keys(environment)) assert.ok(known.has(variable), variable);
      const command = readCommand([...entry, ...(hearth.command ?? [])], environment, '0');
      assert.equal(command.kind, 'start');
      assert.deepEqual(
        [command.kind === 'start' && command.config.dataDir, hearth.read_only, hearth.cap_drop, hearth.ports],
        ['/data', true, ['ALL'], undefined],
        'only Caddy is reached from outside',
      );
    }
    for (const [service, { volumes: mounts = [] }] of Object.entries(services))
      for (const [volume = ''] of mounts.map((mount) => mount.split(':')))
        assert.ok(/^[./]/.test(volume) || volume in volumes, `${service}: ${volume}`);
  }
  assert.equal(Object.keys(compose('compose.cluster.yml').services).length, 5);
});

test('Caddy takes the configuration of the compose files', () => {
  execFileSync('caddy', ['validate', '--adapter', 'caddyfile', '--config', 'deploy/caddy-in-container'], {
    ...{ cwd: ROOT, stdio: 'pipe', env: { ...process.env, HEARTH_HOST: 'chat.example' } },
  });
});

test('the compiled sources of an image fit, though it keeps times in seconds', (t) => {
  const folder = temporaryFolder(t);
  for (const name of [
    'src',
    'scripts',
    'views',
    'static',
    'run.ts',
    'start.js',
    'compile.js',
    'package.json',
  ])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true, preserveTimestamps: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const start = () => execFileSync(process.execPath, ['start.js', '--version'], { cwd: folder });
  start();
  for (const name of readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, 'src', name);
    const seconds = Math.floor(statSync(path).mtimeMs / 1_000);
    utimesSync(path, seconds, seconds);
  }
  start();
  assert.equal(readdirSync(folder).filter((name) => name.startsWith('compiled-')).length, 1);
});
