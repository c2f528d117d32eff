import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { connect } from 'node:tls';
import { loadCertificate, namesOfThisMachine } from '../../src/tls.ts';
import { startHearth, temporaryFolder } from '../support/hearth.ts';

const NAMES = ['localhost', '127.0.0.1', '::1', 'hearth.test', '192.0.2.7'];

function filesFor(t: TestContext, config: object = {}) {
  const folder = temporaryFolder(t);
  const tlsConfigFile = join(folder, 'tls_config.json');
  writeFileSync(
    tlsConfigFile,
    JSON.stringify({ subject: { commonName: 'Club' }, lifetimeDays: 30, keySize: 2048, ...config }),
  );
  return {
    certFile: join(folder, 'tls', 'cert.pem'),
    keyFile: join(folder, 'tls', 'key.pem'),
    tlsConfigFile,
  };
}

test('makes a certificate with the subject, lifetime, key size and names it was told, its key for the owner only', async (t) => {
  const files = filesFor(t);
  const { cert } = await loadCertificate(files, NAMES);
  const certificate = new X509Certificate(cert);
  assert.match(certificate.subject, /CN=Club/);
  assert.equal(certificate.publicKey.asymmetricKeyDetails?.modulusLength, 2048);
  const days = (Date.parse(certificate.validTo) - Date.now()) / 86_400_000;
  assert.ok(days > 29 && days < 31);
  for (const name of ['localhost', 'hearth.test']) assert.ok(certificate.checkHost(name), name);
  for (const name of ['127.0.0.1', '::1', '192.0.2.7']) assert.ok(certificate.checkIP(name), name);
  assert.equal(statSync(files.keyFile).mode & 0o777, 0o600);
});

test('loads what is there, and renews its own when it has expired or lacks a name', async (t) => {
  const files = filesFor(t);
  const first = await loadCertificate(files, NAMES);
  assert.equal((await loadCertificate(files, NAMES)).cert, first.cert);
  const second = await loadCertificate(files, [...NAMES, '192.0.2.8']);
  assert.notEqual(second.cert, first.cert);
  const later = new Date(Date.now() + 31 * 86_400_000);
  assert.notEqual((await loadCertificate(files, NAMES, later)).cert, second.cert);
});

test('never replaces a certificate that is somebody’s own, and says so when that one has expired', async (t) => {
  const files = filesFor(t);
  const { cert } = await loadCertificate(files, ['localhost']);
  writeFileSync(files.certFile, cert.replace(/^#.*\n/, ''));
  const own = await loadCertificate(files, NAMES);
  assert.equal(readFileSync(files.certFile, 'utf8'), own.cert);
  await assert.rejects(
    loadCertificate(files, NAMES, new Date(Date.now() + 31 * 86_400_000)),
    /expired on .*renew it/,
  );
});

test('refuses a key that belongs to another certificate, and a config that does not fit', async (t) => {
  const one = filesFor(t);
  const other = filesFor(t);
  await loadCertificate(one, NAMES);
  await loadCertificate(other, NAMES);
  await assert.rejects(loadCertificate({ ...one, keyFile: other.keyFile }, NAMES), /does not belong/);
  await assert.rejects(loadCertificate(filesFor(t, { keySize: 512 }), NAMES), /keySize/);
});

test('the names of this machine begin with those of loopback', () => {
  assert.deepEqual(namesOfThisMachine().slice(0, 3), ['localhost', '127.0.0.1', '::1']);
});

test('serves TLS 1.2 and 1.3 and nothing older', async (t) => {
  const { certFile, keyFile } = filesFor(t);
  const hearth = await startHearth(t, { flags: ['--tls', '--certfile', certFile, '--keyfile', keyFile] });
  const { port } = new URL(hearth.url);
  const handshake = (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') =>
    new Promise<string | null>((resolve, reject) => {
      const socket = connect({
        host: '127.0.0.1',
        port: Number(port),
        minVersion: version,
        maxVersion: version,
        ciphers: 'DEFAULT@SECLEVEL=0',
        rejectUnauthorized: false,
      });
      socket.once('secureConnect', () => {
        resolve(socket.getProtocol());
        socket.destroy();
      });
      socket.once('error', reject);
    });
  assert.equal(await handshake('TLSv1.3'), 'TLSv1.3');
  assert.equal(await handshake('TLSv1.2'), 'TLSv1.2');
  await assert.rejects(handshake('TLSv1.1'));
});
