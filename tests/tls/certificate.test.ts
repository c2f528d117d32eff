import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { connect } from 'node:tls';
import { isToBeRenewed, loadCertificate } from '../../src/tls/certificate.ts';
import { namesOfThisMachine } from '../../src/tls/names.ts';
import { ROOT, startHearthProcess, temporaryFolder } from '../support/hearth.ts';
import { until } from '../support/until.ts';

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

/** The fingerprint of the certificate that is served. */
function fingerprintAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '');
      socket.destroy();
    });
    socket.once('error', reject);
  });
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
  const later = (days: number) => new Date(Date.now() + days * 86_400_000);
  assert.equal((await loadCertificate(files, NAMES, later(20))).cert, second.cert);
  assert.equal(isToBeRenewed(files, later(20)), false);
  assert.equal(isToBeRenewed(files, later(26)), true, 'in the last fifth of its lifetime');
  assert.notEqual((await loadCertificate(files, NAMES, later(26))).cert, second.cert);
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
  const hearth = await startHearthProcess(t, {
    flags: ['--tls', '--certfile', certFile, '--keyfile', keyFile],
  });
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

test('changed settings make another certificate; an encrypted key and one that is not valid yet get their sentence', async (t) => {
  const files = filesFor(t);
  const first = await loadCertificate(files, NAMES);
  assert.equal((await loadCertificate(files, NAMES)).cert, first.cert);
  writeFileSync(
    files.tlsConfigFile,
    JSON.stringify({ subject: { commonName: 'Choir' }, lifetimeDays: 30, keySize: 2048 }),
  );
  const second = await loadCertificate(files, NAMES);
  assert.match(new X509Certificate(second.cert).subject, /CN=Choir/);

  writeFileSync(files.certFile, second.cert.replace(/^#.*\n/gm, ''));
  await assert.rejects(
    loadCertificate(files, NAMES, new Date(Date.now() - 86_400_000)),
    /is valid from .* check the clock/,
  );
  const key = createPrivateKey(second.key);
  writeFileSync(
    files.keyFile,
    key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' }),
  );
  await assert.rejects(loadCertificate(files, NAMES), /is encrypted; give Hearth one without a passphrase/);
});

test('a certificate that Hearth made is renewed while it runs', async (t) => {
  const files = filesFor(t);
  await loadCertificate(files, NAMES);
  const { certFile, keyFile } = files;
  const hearth = await startHearthProcess(t, {
    flags: ['--tls', '--certfile', certFile, '--keyfile', keyFile],
  });
  const { port } = new URL(hearth.url);
  const before = await fingerprintAt(Number(port));
  // As time passes: the files are as old as before, and the certificate is near its end.
  const ending = await loadCertificate(filesFor(t), NAMES, new Date(Date.now() - 29 * 86_400_000));
  for (const [file, content] of [
    [keyFile, ending.key],
    [certFile, ending.cert],
  ] as const) {
    const { atime, mtime } = statSync(file);
    writeFileSync(`${file}.new`, content, { mode: 0o600 });
    utimesSync(`${file}.new`, atime, mtime);
    renameSync(`${file}.new`, file);
  }
  await until(async () => (await fingerprintAt(Number(port))) !== before, 'another is served');
  const renewed = new X509Certificate(readFileSync(certFile));
  assert.ok(Date.parse(renewed.validTo) > Date.now() + 25 * 86_400_000);
  assert.equal(await fingerprintAt(Number(port)), renewed.fingerprint256);
});

test('a certificate that is replaced on disk is served without a restart', async (t) => {
  const files = filesFor(t);
  const { cert: own } = await loadCertificate(files, NAMES);
  writeFileSync(files.certFile, own.replace(/^#.*\n/gm, ''));
  const hearth = await startHearthProcess(t, {
    flags: ['--tls', '--certfile', files.certFile, '--keyfile', files.keyFile],
  });
  const { port } = new URL(hearth.url);
  const served = () => fingerprintAt(Number(port));
  const before = await served();
  // Gone for a moment, then a folder that cannot be looked into: neither ends it, nor makes others in their place.
  const folder = dirname(files.certFile);
  renameSync(folder, `${folder}-away`);
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  symlinkSync(folder, folder);
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  rmSync(folder);
  renameSync(`${folder}-away`, folder);
  const other = filesFor(t);
  const { cert, key } = await loadCertificate(other, NAMES);
  writeFileSync(files.keyFile, key);
  writeFileSync(files.certFile, cert.replace(/^#.*\n/gm, ''));
  const changed = async () => {
    const fingerprint = await served();
    return fingerprint !== before && fingerprint;
  };
  assert.equal(await until(changed, 'another is served'), new X509Certificate(cert).fingerprint256);
});

test('a half-sent form does not hold up the end, and neither does npm that is gone', async (t) => {
  const hearth = await startHearthProcess(t);
  const { hostname, port } = new URL(hearth.url);
  const socket = connectPlain(Number(port), hostname);
  socket.on('error', () => {});
  socket.write(
    `POST /login HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nusername=`,
  );
  await new Promise((resolve) => setTimeout(resolve, 200));
  const cut = once(socket, 'close').then(() => 'cut');
  const ended = hearth.stop().then(() => 'ended');
  assert.equal(await Promise.race([cut, ended]), 'cut');
  assert.equal(await ended, 'ended');

  const folder = temporaryFolder(t);
  const npm = spawn('npm', ['start', '--', '--port', '0', '--data', folder], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  for await (const text of npm.stdout) if (String(text).includes('Hearth is at')) break;
  npm.kill('SIGKILL');
  await until(() => {
    // The folder is free once the server has ended.
    const trial = spawnSync(
      process.execPath,
      [
        '--import',
        'tsx',
        '-e',
        `import('${ROOT}src/database/lock.ts').then(({ lockDataFolder }) => lockDataFolder('${folder}').release()).catch(() => process.exit(2))`,
      ],
      { cwd: ROOT },
    );
    return trial.status === 0;
  }, 'the server that npm started has ended');
});
