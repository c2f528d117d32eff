import { createDecipheriv, createECDH, createPublicKey, hkdfSync, randomBytes, verify } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { generate } from 'selfsigned';
import { type Ending, temporaryFolder } from './hearth.ts';
import { until } from './until.ts';

/** What reached the push service: opened with the device's key, its sender's token checked. */
export type Pushed = {
  path: string;
  notice: Record<string, unknown>;
  ttl: string;
  subject: string;
  publicKey: string;
};

/** A push service as a browser's vendor runs one (RFC 8030), on this machine; it checks what it is sent. */
export async function startPushService(test: Ending) {
  const { private: key, cert } = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  });
  const caFile = join(temporaryFolder(test), 'push.pem');
  writeFileSync(caFile, cert);
  const devices = new Map<string, ReturnType<typeof newKeys>>();
  const received: Pushed[] = [];
  const failures: unknown[] = [];
  let status = 201;
  let delayMs = 0;

  const server = createServer({ key, cert }, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    try {
      const path = request.url ?? '';
      const keys = devices.get(path);
      if (!keys) throw new Error(`nobody subscribed at ${path}`);
      if (request.headers['content-encoding'] !== 'aes128gcm') throw new Error('not aes128gcm');
      const sender = checkToken(String(request.headers.authorization), `https://127.0.0.1:${port}`);
      const notice = JSON.parse(decrypt(Buffer.concat(chunks), keys).toString());
      received.push({ path, notice, ttl: String(request.headers.ttl), ...sender });
    } catch (error) {
      failures.push(error);
    }
    await sleep(delayMs);
    response.statusCode = status;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  test.after(() => server.close());
  const { port } = server.address() as AddressInfo;

  return {
    host: `127.0.0.1:${port}`,
    /** What a Hearth that sends here is started with. */
    env: { PUSH_SERVICES: `127.0.0.1:${port}`, NODE_EXTRA_CA_CERTS: caFile },
    received,
    failures,
    answerWith(next: number) {
      status = next;
    },
    answerAfter(ms: number) {
      delayMs = ms;
    },
    /** A new device, in the form that a browser posts. */
    subscribe(label: string) {
      const keys = newKeys();
      const path = `/device/${randomBytes(8).toString('hex')}`;
      devices.set(path, keys);
      return {
        endpoint: `https://127.0.0.1:${port}${path}`,
        p256dh: keys.ecdh.getPublicKey('base64url'),
        auth: keys.auth.toString('base64url'),
        label,
      };
    },
    async next(count: number): Promise<Pushed[]> {
      await until(
        () => received.length >= count || failures.length > 0,
        () => `${received.length} of ${count} came`,
      );
      if (failures.length > 0) throw failures[0];
      return received;
    },
  };
}

function newKeys() {
  const ecdh = createECDH('prime256v1');
  ecdh.generateKeys();
  return { ecdh, auth: randomBytes(16) };
}

/** RFC 8291: one record of aes128gcm (RFC 8188), its keys from the shared secret and the device's `auth`. */
function decrypt(body: Buffer, { ecdh, auth }: ReturnType<typeof newKeys>): Buffer {
  const salt = body.subarray(0, 16);
  const keyLength = body.readUInt8(20);
  const sender = body.subarray(21, 21 + keyLength);
  const record = body.subarray(21 + keyLength);
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), ecdh.getPublicKey(), sender]);
  const secret = Buffer.from(hkdfSync('sha256', ecdh.computeSecret(sender), auth, info, 32));
  const key = hkdfSync('sha256', secret, salt, 'Content-Encoding: aes128gcm\0', 16);
  const nonce = hkdfSync('sha256', secret, salt, 'Content-Encoding: nonce\0', 12);
  const decipher = createDecipheriv('aes-128-gcm', Buffer.from(key), Buffer.from(nonce));
  decipher.setAuthTag(record.subarray(-16));
  const plain = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()]);
  return plain.subarray(0, plain.lastIndexOf(2));
}

/** RFC 8292: a token signed with the key that the browser subscribed with, for this service, not for long. */
function checkToken(authorization: string, audience: string): { subject: string; publicKey: string } {
  const [, token = '', publicKey = ''] = /^vapid t=([^,]+), ?k=(.+)$/.exec(authorization) ?? [];
  const [header = '', claims = '', signature = ''] = token.split('.');
  const point = Buffer.from(publicKey, 'base64url');
  const key = createPublicKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
    },
  });
  const isSigned = verify(
    'sha256',
    Buffer.from(`${header}.${claims}`),
    { key, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  );
  const { aud, exp, sub } = JSON.parse(Buffer.from(claims, 'base64url').toString());
  const seconds = exp - Date.now() / 1_000;
  if (!isSigned || aud !== audience || seconds < 0 || seconds > 24 * 3_600) throw new Error('a wrong token');
  return { subject: sub, publicKey };
}
