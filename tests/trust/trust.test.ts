/// <reference lib="dom" />
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { chromium } from 'playwright-core';
import { issue } from '../../src/tls/authority.ts';
import { loadCertificate } from '../../src/tls/certificate.ts';
import { CHROMIUM_PATH } from '../support/browser.ts';
import { Visitor } from '../support/client.ts';
import { startHearth, temporaryFolder } from '../support/hearth.ts';

const SETTINGS = { subject: { commonName: 'Club' }, lifetimeDays: 30, keySize: 2048 };

/** Hearth over HTTPS and HTTP, with an authority made for this test. */
async function startSecure(t: TestContext) {
  const folder = temporaryFolder(t);
  const files = {
    certFile: join(folder, 'tls', 'cert.pem'),
    keyFile: join(folder, 'tls', 'key.pem'),
    tlsConfigFile: join(folder, 'tls_config.json'),
  };
  writeFileSync(files.tlsConfigFile, JSON.stringify(SETTINGS));
  const flags = ['--tls', '--http-port', '0', '--certfile', files.certFile, '--keyfile', files.keyFile];
  const hearth = await startHearth(t, { flags: [...flags, '--tls-config', files.tlsConfigFile] });
  const [secure = '', plain = ''] = hearth.urls;
  return {
    folder,
    files,
    secure,
    plain,
    authority: readFileSync(join(folder, 'tls', 'authority.pem'), 'utf8'),
  };
}

/** Whether a server with a certificate is believed by whoever trusts the authority. */
function isBelieved(url: string, host: string, ca: string): Promise<string> {
  return new Promise((resolve) => {
    const { port } = new URL(url);
    const request = httpsRequest(
      { host: '127.0.0.1', port, path: '/healthz', servername: host, headers: { host }, ca },
      (answer) => {
        answer.resume();
        resolve('yes');
      },
    );
    request.on('error', (error: NodeJS.ErrnoException) => resolve(error.message));
    request.end();
  });
}

test('the authority is made once, signs for every name, and is given out over HTTP with its fingerprint', async (t) => {
  const { secure, plain, authority, files } = await startSecure(t);
  assert.equal(await isBelieved(secure, 'localhost', authority), 'yes');
  const visitor = new Visitor(plain);
  const { bytes, headers } = await visitor.get('/trust/authority.crt');
  assert.equal(headers['content-type'], 'application/x-x509-ca-cert');
  const given = new X509Certificate(bytes);
  assert.equal(given.fingerprint256, new X509Certificate(authority).fingerprint256);
  const page = (await visitor.get('/trust')).body;
  assert.ok(page.includes(given.fingerprint256));
  assert.ok(!page.includes('PRIVATE'));
  const later = await loadCertificate(files, ['localhost', '127.0.0.1', '10.1.2.3']);
  assert.equal(later.authority, authority, 'a new address of the router needs no new authority');
  assert.ok(new X509Certificate(later.cert).checkIP('10.1.2.3'));
  const renamed = await loadCertificate(files, ['localhost', 'another-machine']);
  assert.notEqual(renamed.authority, authority, 'a new name does');
});

test('what the authority signs for another site is not believed', async (t) => {
  const { folder, files } = await startSecure(t);
  const read = (name: string) => readFileSync(join(folder, 'tls', name), 'utf8');
  const authority = { cert: read('authority.pem').replace(/^#.*\n/, ''), key: read('authority-key.pem') };
  const stolen = await issue(authority, ['bank.example', '127.0.0.1'], SETTINGS, new Date());
  writeFileSync(files.certFile, stolen.cert);
  writeFileSync(files.keyFile, stolen.key);
  const flags = ['--tls', '--certfile', files.certFile, '--keyfile', files.keyFile];
  const hearth = await startHearth(t, { flags: [...flags, '--tls-config', files.tlsConfigFile] });
  assert.match(await isBelieved(hearth.url, 'bank.example', authority.cert), /permitted subtree/);
});

test('a browser that trusts the authority has every feature; one that does not says the true reason', async (t) => {
  const { folder, secure, plain } = await startSecure(t);
  const home = join(folder, 'home');
  const store = join(home, '.pki', 'nssdb');
  mkdirSync(store, { recursive: true });
  const certutil = (...args: string[]) =>
    execFileSync('certutil', ['-d', `sql:${store}`, ...args], { stdio: 'pipe' });
  certutil('-N', '--empty-password');
  certutil('-A', '-t', 'C,,', '-n', 'hearth', '-i', join(folder, 'tls', 'authority.pem'));
  const executablePath = CHROMIUM_PATH ?? assert.fail('Chromium is missing.');
  const launch = async (environment: Record<string, string>) => {
    const args = [
      '--no-sandbox',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ];
    const browser = await chromium.launch({
      executablePath,
      args,
      env: { PATH: process.env.PATH ?? '', ...environment },
    });
    t.after(() => browser.close());
    return browser;
  };
  const reasons = async (
    browser: Awaited<ReturnType<typeof launch>>,
    url: string,
    ignoreHTTPSErrors: boolean,
  ) => {
    const page = await (await browser.newContext({ ignoreHTTPSErrors })).newPage();
    await page.goto(`${url}/connection`);
    await page.waitForFunction(() => document.querySelector('[data-works]')?.textContent !== '');
    const isSecure = await page.evaluate(() => isSecureContext);
    return { isSecure, push: await page.locator('[data-feature="push"] [data-reason]').textContent() };
  };
  const trusting = await launch({ HOME: home });
  const url = secure.replace('127.0.0.1', 'localhost');
  assert.deepEqual(await reasons(trusting, url, false), { isSecure: true, push: 'Works.' });

  const empty = temporaryFolder(t);
  const fresh = await launch({ HOME: empty });
  const page = await (await fresh.newContext()).newPage();
  await assert.rejects(page.goto(url), /ERR_CERT_AUTHORITY_INVALID/);
  assert.match((await reasons(fresh, url, true)).push ?? '', /does not trust the certificate/);
  const local = await reasons(fresh, plain, false);
  assert.deepEqual(local, { isSecure: true, push: 'Works.' }, 'nothing is missing on the machine itself');
});
