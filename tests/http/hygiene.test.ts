import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { startHearth, startHearthProcess, temporaryFolder } from '../support/hearth.ts';

test('what every answer keeps to', async (t) => {
  const hearth = await startHearthProcess(t, { env: { ASSET_VERSION: 'pinned' } });
  const visitor = await newPerson(hearth.url, 'ada', 1);

  await t.test('a strict policy, no framing, no sniffing, no HSTS, no boasting', async () => {
    const { headers } = await visitor.get('/groups');
    const policy = String(headers['content-security-policy']);
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe|upgrade-insecure/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['strict-transport-security'], undefined);
    assert.equal(headers['x-powered-by'], undefined);
  });

  await t.test('pages have no inline script and no inline style', async () => {
    for (const path of ['/groups', '/groups/1', '/groups/1/members', '/account', '/nowhere']) {
      const { body } = await visitor.get(path);
      assert.doesNotMatch(body, /<script(?![^>]*src=)|<style|\sstyle=|\son[a-z]+=/, path);
    }
  });

  await t.test('unsafe requests from other sites are refused, by either header', async () => {
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'http://evil.example' },
      { origin: 'null' },
    ]) {
      const { status } = await visitor.post(
        '/groups',
        { name: 'Planted' },
        headers as Record<string, string>,
      );
      assert.equal(status, 403, JSON.stringify(headers));
    }
    assert.ok(!(await visitor.get('/groups')).body.includes('Planted'));
    const own = { 'sec-fetch-site': 'same-origin', origin: hearth.url };
    assert.equal((await visitor.post('/groups', { name: 'Own' }, own)).status, 303);
  });

  await t.test('a body that is too large, or cannot be read, gets a sentence', async () => {
    const { status, body } = await visitor.post('/groups/1/messages', { content: 'x'.repeat(200_000) });
    assert.equal(status, 413);
    assert.match(body, /Shorten it/);
    assert.equal((await visitor.get('/groups/%E0%A4%A')).status, 400);
  });

  await t.test(
    'static files carry the version and a year of cache; htmx comes from its package',
    async () => {
      for (const path of [
        '/assets/pinned/css/main.css',
        '/assets/pinned/js/main.js',
        '/assets/pinned/js/htmx.js',
      ]) {
        const { status, headers } = await visitor.get(path);
        assert.equal(status, 200, path);
        assert.match(String(headers['cache-control']), /max-age=31536000, immutable/);
      }
      assert.equal((await visitor.get('/assets/pinned/../../package.json')).status, 404);
      assert.equal((await visitor.get('/assets/pinned/%2e%2e/%2e%2e/package.json')).status, 404);
    },
  );

  await t.test('errors are a page for people, a fragment for htmx, JSON for programs', async () => {
    const page = await visitor.get('/nowhere', { accept: 'text/html' });
    assert.deepEqual([page.status, /<h1>Nothing here<\/h1>/.test(page.body)], [404, true]);
    const fragment = await visitor.get('/nowhere', { 'hx-request': 'true' });
    assert.match(fragment.body, /^<p class="failure"/);
    const json = await visitor.get('/nowhere', { accept: 'application/json' });
    assert.deepEqual(JSON.parse(json.body), {
      error: { code: 'not_found', detail: 'There is nothing at this address.' },
    });
  });

  await t.test('/healthz says ok', async () => {
    const { status, body } = await visitor.get('/healthz');
    assert.deepEqual([status, body], [200, '{"status":"ok"}']);
  });

  await t.test('light and dark are remembered without a script, and the way back stays here', async () => {
    const chosen = await visitor.post('/theme', { theme: 'dark', back: '/account' });
    assert.equal(chosen.location, '/account');
    assert.match((await visitor.get('/account')).body, /data-theme="dark"/);
    assert.equal((await visitor.post('/theme', { theme: 'dark', back: '//evil.example' })).location, '/');
    assert.equal((await visitor.post('/theme', { theme: 'pink' })).status, 400);
  });

  await t.test(
    'the log is a line a request with an id, and has no query, cookie, password or message',
    async () => {
      await visitor.post('/groups/1/messages', { content: 'a very private remark' });
      await visitor.get('/groups/1?before=12345');
      await hearth.stop();
      const { stderr } = hearth.output();
      const lines = stderr
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      assert.ok(
        lines.some(
          (line) =>
            line.method === 'POST' && line.path === '/groups/1/messages' && line.id && line.status === 303,
        ),
      );
      for (const secret of [
        'a very private remark',
        '12345',
        PASSWORD,
        visitor.cookies.get('hearth') ?? '?',
      ]) {
        assert.ok(!stderr.includes(secret), secret);
      }
    },
  );
});

test('a part of a file that there is not is refused, and no failure', async (t) => {
  const visitor = new Visitor((await startHearth(t)).url);
  for (const path of ['/service-worker.js', '/icon-192.png', '/favicon.ico']) {
    assert.equal((await visitor.get(path, { range: 'bytes=999999999-' })).status, 416, path);
    assert.equal((await visitor.get(path, { 'if-match': '"x"' })).status, 412, path);
  }
});

test('HTTP and HTTPS side by side: cookies do not collide, and people on either read each other', async (t) => {
  const folder = temporaryFolder(t);
  const flags = [
    '--tls',
    '--http-port',
    '0',
    '--certfile',
    join(folder, 'cert.pem'),
    '--keyfile',
    join(folder, 'key.pem'),
  ];
  const hearth = await startHearth(t, { flags });
  const [https = '', http = ''] = hearth.urls;
  assert.match(https, /^https:/);
  assert.match(http, /^http:/);

  const safe = await newPerson(https, 'safe', 1);
  const open = await newPerson(http, 'open', 1);
  assert.ok([...safe.cookies.keys()].every((name) => name.startsWith('__Host-hearth')));
  assert.deepEqual([...open.cookies.keys()].sort(), ['hearth', 'hearth-device']);

  const both = new Visitor(http);
  both.cookies
    .set('hearth', open.cookies.get('hearth') ?? '')
    .set('__Host-hearth', safe.cookies.get('__Host-hearth') ?? '');
  assert.match((await both.get('/account')).body, /<h1>open<\/h1>/);

  const [a, b] = [await safe.socket('/ws/chat/1'), await open.socket('/ws/chat/1')];
  await b.nextJson('hello');
  a.send({ type: 'send', id: '6f0d2f3e-7c57-4a6e-9d5e-0d6a5d1f0c11', content: 'over TLS' });
  assert.equal((await b.nextJson('message')).content, 'over TLS');
  const { headers } = await new Visitor(https).register('third');
  assert.match(String(headers['set-cookie']), /__Host-hearth=.*Path=\/;.*HttpOnly; Secure/);
});
