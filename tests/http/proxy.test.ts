import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { on, once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { generate } from 'selfsigned';
import WebSocket from 'ws';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { atEnd, type Ending, type Hearth, startHearth, temporaryFolder } from '../support/hearth.ts';
import { freePort } from '../support/ports.ts';
import { until } from '../support/until.ts';

/** Where the visitor's own connection comes from; the proxy is at 127.0.0.1, the only one that is trusted. */
const VISITOR = '127.0.0.2';
const FORGED = '203.0.113.9';

/** Waits until something listens there. */
async function ready(proxy: ChildProcess, url: string): Promise<void> {
  let errors = '';
  proxy.stderr?.on('data', (text) => {
    errors += text;
  });
  const answer = () => new Visitor(url).get('/healthz').catch(() => undefined);
  await until(
    async () => {
      assert.equal(proxy.exitCode, null, errors);
      return (await answer())?.status === 200;
    },
    () => `The proxy did not start: ${errors}`,
  );
}

async function startCaddy(t: Ending, hearth: Hearth): Promise<string> {
  const folder = temporaryFolder(t);
  const port = await freePort();
  writeFileSync(
    join(folder, 'Caddyfile'),
    `{
      admin off
      auto_https disable_redirects
      skip_install_trust
      storage file_system ${folder}
    }
    https://localhost:${port} {
      tls internal
      reverse_proxy ${new URL(hearth.url).host}
    }`,
  );
  const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const caddy = spawn('caddy', ['run', '--config', join(folder, 'Caddyfile')], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  atEnd(t, async () => {
    caddy.kill('SIGKILL');
    if (caddy.exitCode === null && caddy.signalCode === null) await once(caddy, 'exit');
  });
  const url = `https://localhost:${port}`;
  await ready(caddy, url);
  return url;
}

async function startNginx(t: Ending, hearth: Hearth): Promise<string> {
  const folder = temporaryFolder(t);
  const port = await freePort();
  const made = await generate([{ name: 'commonName', value: 'localhost' }], { keySize: 2048 });
  writeFileSync(join(folder, 'cert.pem'), made.cert);
  writeFileSync(join(folder, 'key.pem'), made.private);
  for (const name of ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']) mkdirSync(join(folder, name));
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; pid ${folder}/pid; error_log stderr; ${process.getuid?.() === 0 ? 'user root;' : ''}
    events {}
    http {
      access_log off;
      client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
      fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
      map $http_upgrade $connection_upgrade { default upgrade; '' close; }
      server {
        listen 127.0.0.1:${port} ssl;
        server_name localhost;
        ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem;
        client_max_body_size 0;
        location / {
          proxy_pass ${hearth.url};
          proxy_http_version 1.1;
          proxy_set_header Host $http_host;
          proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
          proxy_set_header X-Forwarded-Proto $scheme;
          proxy_set_header Upgrade $http_upgrade;
          proxy_set_header Connection $connection_upgrade;
        }
      }
    }`,
  );
  const nginx = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  atEnd(t, async () => {
    nginx.kill('SIGTERM');
    if (nginx.exitCode === null && nginx.signalCode === null) await once(nginx, 'exit');
  });
  const url = `https://localhost:${port}`;
  await ready(nginx, url);
  return url;
}

/** The addresses of the people here, as a socket that comes from the visitor's address is told. */
async function addressesSeen(visitor: Visitor, headers: Record<string, string> = {}): Promise<unknown[]> {
  const url = new URL('/ws/chat/1', visitor.url.replace(/^http/, 'ws'));
  const ws = new WebSocket(url, 'hearth.json', {
    rejectUnauthorized: false,
    localAddress: VISITOR,
    headers: { cookie: visitor.cookie, origin: visitor.url, ...headers },
  });
  try {
    for await (const [data] of on(ws, 'message')) {
      const frame = JSON.parse(String(data));
      if (frame.type === 'presence') return frame.users.map((user: { ip: string }) => user.ip);
    }
    throw new Error('The socket ended without saying who is here.');
  } finally {
    ws.terminate();
  }
}

const PROXIES = { caddy: startCaddy, nginx: startNginx };

for (const [name, start] of Object.entries(PROXIES))
  test(`behind ${name} that ends TLS, people sign in, upload and talk as over HTTPS`, async (t) => {
    execFileSync(name, [name === 'caddy' ? 'version' : '-v'], { stdio: 'ignore' });
    const hearth = await startHearth(t, { env: { TRUSTED_PROXIES: '127.0.0.1' } });
    const url = await start(t, hearth);
    const fromHere = { origin: url, 'sec-fetch-site': 'same-origin' };
    const visitor = new Visitor(url, fromHere);

    assert.equal((await visitor.register('ada')).status, 303);
    assert.deepEqual([...visitor.cookies.keys()].sort(), ['__Host-hearth', '__Host-hearth-device']);
    await visitor.post('/groups/1/join');
    const page = (await visitor.get('/groups/1')).body;
    assert.match(page, /data-secure="true"/);
    assert.match(page, /Between this browser and the server that stands before Hearth/);
    assert.doesNotMatch(page, /Make this device trust it/, 'the certificate is not the one of Hearth');
    const file = { name: 'notes.txt', type: 'text/plain', bytes: Buffer.from('hello') };
    assert.equal((await visitor.upload('/groups/1/messages', [file], { content: 'a file' })).status, 303);
    assert.match((await visitor.get('/groups/1')).body, /notes\.txt/);

    assert.deepEqual(await addressesSeen(visitor), [VISITOR]);
    assert.deepEqual(
      await addressesSeen(visitor, { 'x-forwarded-for': FORGED, forwarded: `for=${FORGED};proto=http` }),
      [VISITOR],
      'what a visitor says of their own address is not believed',
    );
    const evil = new Visitor(url, { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' });
    assert.equal((await evil.register('mallory')).status, 403);
  });

test('forwarding headers of anybody else change nothing, and a refused form says what to set', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const forged = {
    'x-forwarded-for': FORGED,
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'chat.example',
  };
  const page = await ada.get('/groups/1', forged);
  assert.match(page.body, /data-secure="false"/);
  assert.deepEqual(await addressesSeen(ada, forged), [VISITOR]);
  const visitor = new Visitor(hearth.url, {
    ...forged,
    origin: 'https://chat.example',
    'sec-fetch-site': 'same-origin',
  });
  const refused = await visitor.post('/login', { username: 'ada', password: PASSWORD });
  assert.equal(refused.status, 403);
  assert.match(refused.body, /TRUSTED_PROXIES=127\.0\.0\.1/);
});

test('a host that is none of ours is refused, pages and sockets; addresses and configured origins are not', async (t) => {
  const hearth = await startHearth(t, { env: { ORIGINS: 'https://chat.example' } });
  const { port } = new URL(hearth.url);
  const status = async (host: string) => (await new Visitor(hearth.url, { host }).get('/login')).status;
  assert.deepEqual(
    await Promise.all(
      [`evil.example:${port}`, `127.0.0.1.evil.example:${port}`, `localhost.evil.example`].map(status),
    ),
    [421, 421, 421],
  );
  assert.deepEqual(
    await Promise.all(
      [`localhost:${port}`, `192.168.0.7:${port}`, `[::1]:${port}`, 'chat.example'].map(status),
    ),
    [200, 200, 200, 200],
  );
  const ada = await newPerson(hearth.url, 'ada', 1);
  const rebound = addressesSeen(ada, { host: `evil.example:${port}`, origin: `http://evil.example:${port}` });
  await assert.rejects(rebound, /421/);
});
