import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { generate } from 'selfsigned';
import { newPerson, Visitor } from '../support/client.ts';
import { atEnd, type Ending, ROOT, startHearth, temporaryFolder } from '../support/hearth.ts';
import { freePort } from '../support/ports.ts';
import { until } from '../support/until.ts';

const read = (name: string) => readFileSync(join(ROOT, 'deploy', name), 'utf8');

/** Replaces each of these, all of which have to be in a text. */
function replaced(text: string, pairs: Readonly<Record<string, string>>): string {
  return Object.entries(pairs).reduce((before, [from, to]) => {
    assert.ok(before.includes(from), from);
    return before.replaceAll(from, to);
  }, text);
}

/** A Hearth that trusts a proxy on this machine, which is at `url`. */
async function startBehind(t: Ending, url: string) {
  const hearth = await startHearth(t, { env: { TRUSTED_PROXIES: '127.0.0.1', ORIGINS: url } });
  return { host: new URL(hearth.url).host, dataDir: hearth.dataDir };
}

async function run(
  t: Ending,
  command: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<void> {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: 'ignore' });
  atEnd(t, async () => {
    child.kill('SIGTERM');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
}

/** Pages, a socket, a file, and no figures. */
async function checkProxy(url: string): Promise<void> {
  const answer = () => new Visitor(url).get('/healthz').catch(() => undefined);
  await until(async () => (await answer())?.status === 200, 'the proxy answers');
  const ada = await newPerson(url, 'ada', 1);
  assert.ok(ada.cookies.has('__Host-hearth'), 'HTTPS, as Hearth sees it');
  const socket = await ada.socket('/ws/chat/1');
  const bytes = Buffer.alloc(2_000_000, 1);
  const sent = await ada.upload(
    '/groups/1/messages',
    [{ name: 'x.bin', type: 'application/octet-stream', bytes }],
    { content: 'hello' },
  );
  assert.equal(sent.status, 303);
  await socket.nextJson('message', (frame) => frame.content === 'hello');
  socket.close();
  assert.equal((await ada.get('/metrics')).status, 404);
}

test('deploy/Caddyfile serves a Hearth', async (t) => {
  const [folder, port] = [temporaryFolder(t), await freePort()];
  const url = `https://localhost:${port}`;
  const { host, dataDir } = await startBehind(t, url);
  const file = join(folder, 'Caddyfile');
  const options = `{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n\tstorage file_system ${folder}\n}\n`;
  writeFileSync(
    file,
    options +
      replaced(read('Caddyfile'), {
        'chat.example {': `${url} {\n\ttls internal`,
        'reverse_proxy 127.0.0.1:8000': `reverse_proxy ${host}`,
      }),
  );
  const env = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  execFileSync('caddy', ['validate', '--adapter', 'caddyfile', '--config', file], {
    env: { ...process.env, ...env },
    stdio: 'pipe',
  });
  await run(t, 'caddy', ['run', '--adapter', 'caddyfile', '--config', file], env);
  await checkProxy(url);
  // As on a full disk: nothing can be written, and Hearth still says so to people.
  mkdirSync(join(dataDir, 'probe.tmp'));
  const visitor = new Visitor(url);
  await until(async () => (await visitor.get('/readyz')).status === 503);
  await new Promise((resolve) => setTimeout(resolve, 6_000));
  assert.equal((await visitor.get('/login')).status, 200);
});

test('deploy/nginx.conf serves a Hearth', async (t) => {
  const [folder, port, plainPort] = [temporaryFolder(t), await freePort(), await freePort()];
  const url = `https://localhost:${port}`;
  const { host } = await startBehind(t, url);
  const made = await generate([{ name: 'commonName', value: 'localhost' }], { keySize: 2048 });
  writeFileSync(join(folder, 'fullchain.pem'), made.cert);
  writeFileSync(join(folder, 'privkey.pem'), made.private);
  for (const name of ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']) mkdirSync(join(folder, name));
  const site = replaced(read('nginx.conf'), {
    'server 127.0.0.1:8000': `server ${host}`,
    'listen 80;': `listen 127.0.0.1:${plainPort};`,
    'listen 443 ssl http2;': `listen 127.0.0.1:${port} ssl http2;`,
    'server_name chat.example': 'server_name localhost',
    '/etc/letsencrypt/live/chat.example': folder,
  });
  const file = join(folder, 'nginx.conf');
  const temporary = [
    'client_body_temp_path body',
    'proxy_temp_path proxy',
    'fastcgi_temp_path fastcgi',
    'uwsgi_temp_path uwsgi',
    'scgi_temp_path scgi',
  ];
  writeFileSync(
    file,
    `daemon off; pid ${folder}/pid; error_log ${folder}/error.log;\nevents {}\nhttp {\naccess_log off;\n${temporary.map((line) => `${line.replace(' ', ` ${folder}/`)};`).join('\n')}\n${site}\n}\n`,
  );
  execFileSync('nginx', ['-t', '-q', '-c', file, '-e', join(folder, 'error.log')], { stdio: 'pipe' });
  await run(t, 'nginx', ['-c', file, '-e', join(folder, 'error.log')]);
  await checkProxy(url);
});

test('systemd takes deploy/hearth.service, and finds it shut off from the rest of the machine', async (t) => {
  const file = join(temporaryFolder(t), 'hearth.service');
  writeFileSync(
    file,
    replaced(read('hearth.service'), {
      '/usr/bin/node': process.execPath,
      'WorkingDirectory=/opt/hearth': `WorkingDirectory=${ROOT}`,
    }),
  );
  execFileSync('systemd-analyze', ['verify', file], { stdio: 'pipe' });
  const security = execFileSync('systemd-analyze', ['security', '--offline=true', '--no-pager', file], {
    encoding: 'utf8',
  });
  const [, exposure] = /Overall exposure level for hearth\.service: ([\d.]+)/.exec(security) ?? [];
  assert.ok(Number(exposure) < 2, `${exposure} of 10`);
});
