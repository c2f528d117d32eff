import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { dirname } from 'node:path';
import { generate } from 'selfsigned';
import { z } from 'zod';
import { StartError } from './errors.ts';

/** PEM, as `https.createServer` takes them. */
export type Certificate = { cert: string; key: string };

/** First line of a certificate that Hearth made. One without it is the operator's own, and is never replaced. */
const OURS =
  '# Made by Hearth, and made anew when it expires, lacks a name of this machine, or its settings change.\n';

const tlsConfig = z.strictObject({
  subject: z.strictObject({
    commonName: z.string().min(1).max(64),
    organizationName: z.string().min(1).max(64).optional(),
    organizationalUnitName: z.string().min(1).max(64).optional(),
    localityName: z.string().min(1).max(128).optional(),
    stateOrProvinceName: z.string().min(1).max(128).optional(),
    countryName: z.string().length(2).optional(),
  }),
  lifetimeDays: z.int().min(1).max(825),
  keySize: z.union([z.literal(2048), z.literal(3072), z.literal(4096)]),
});

/**
 * Loads the certificate, making or renewing a self-signed one where it is ours to make.
 * @param names host names and addresses that it has to cover; `namesOfThisMachine()` by default
 * @throws StartError where a file cannot be read or written, the two do not belong together, or somebody's own is not
 *   valid (any more, or yet)
 */
export async function loadCertificate(
  files: { certFile: string; keyFile: string; tlsConfigFile: string },
  names: readonly string[] = namesOfThisMachine(),
  now = new Date(),
): Promise<Certificate> {
  if (!existsSync(files.certFile) && !existsSync(files.keyFile)) return makeCertificate(files, names, now);

  const certificateAndKey = {
    cert: read(files.certFile, 'certificate'),
    key: read(files.keyFile, 'private key'),
  };
  const certificate = parse(certificateAndKey, files);
  const expired = Date.parse(certificate.validTo) <= now.getTime();
  if (certificateAndKey.cert.startsWith('# Made by Hearth')) {
    const isOfOldSettings = !certificateAndKey.cert.includes(
      settingsLine(readTlsConfig(files.tlsConfigFile)),
    );
    return expired || isOfOldSettings || !names.every((name) => covers(certificate, name))
      ? makeCertificate(files, names, now)
      : certificateAndKey;
  }
  if (expired)
    throw new StartError(`The certificate ${files.certFile} expired on ${certificate.validTo}; renew it.`);
  if (Date.parse(certificate.validFrom) > now.getTime())
    throw new StartError(
      `The certificate ${files.certFile} is valid from ${certificate.validFrom} on; check the clock of this machine, or use another one.`,
    );
  return certificateAndKey;
}

/** localhost and its addresses, the host's name, and its addresses on the networks it is on. */
export function namesOfThisMachine(): string[] {
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((address) => !address.internal && !address.address.startsWith('fe80:'))
    .map((address) => address.address);
  return [...new Set(['localhost', '127.0.0.1', '::1', hostname(), ...addresses])];
}

async function makeCertificate(
  files: { certFile: string; keyFile: string; tlsConfigFile: string },
  names: readonly string[],
  now: Date,
): Promise<Certificate> {
  const settings = readTlsConfig(files.tlsConfigFile);
  const { subject, lifetimeDays, keySize } = settings;
  const notAfterDate = new Date(now.getTime() + lifetimeDays * 86_400_000);
  const made = await generate(
    Object.entries(subject).map(([name, value]) => ({ name, value })),
    {
      keySize,
      algorithm: 'sha256',
      notBeforeDate: new Date(now.getTime() - 60_000),
      notAfterDate,
      extensions: [
        { name: 'basicConstraints', cA: false, critical: true },
        { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
        { name: 'extKeyUsage', serverAuth: true },
        {
          name: 'subjectAltName',
          altNames: names.map((name) =>
            isIP(name) ? { type: 7 as const, ip: name } : { type: 2 as const, value: name },
          ),
        },
      ],
    },
  );
  const certificate = { cert: OURS + settingsLine(settings) + made.cert, key: made.private };
  try {
    for (const file of [files.certFile, files.keyFile]) mkdirSync(dirname(file), { recursive: true });
    writeFileSync(files.keyFile, certificate.key, { mode: 0o600 });
    writeFileSync(files.certFile, certificate.cert);
  } catch (error) {
    throw new StartError(`The certificate cannot be written to ${files.certFile}: ${reason(error)}.`);
  }
  return certificate;
}

/** What the certificate was made from: another one is made where that has changed. */
function settingsLine(settings: z.infer<typeof tlsConfig>): string {
  const hash = createHash('sha256').update(JSON.stringify(settings)).digest('hex');
  return `# Settings ${hash.slice(0, 16)}\n`;
}

function readTlsConfig(file: string) {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new StartError(`${file} cannot be read: ${reason(error)}.`);
  }
  const parsed = tlsConfig.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new StartError(
    `${file} has a value that does not fit, ${issue?.path.join('.') || 'at its top'}: ${issue?.message}.`,
  );
}

function read(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new StartError(`The ${what} ${file} cannot be read: ${reason(error)}.`);
  }
}

function parse(pair: Certificate, files: { certFile: string; keyFile: string }): X509Certificate {
  if (/ENCRYPTED/.test(pair.key))
    throw new StartError(
      `The private key ${files.keyFile} is encrypted; give Hearth one without a passphrase, such as openssl pkey -in ${files.keyFile} -out key.pem makes.`,
    );
  let fits: boolean;
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pair.cert);
    fits = certificate.checkPrivateKey(createPrivateKey(pair.key));
  } catch {
    throw new StartError(
      `${files.certFile} and ${files.keyFile} are not a certificate and a private key in PEM.`,
    );
  }
  if (!fits)
    throw new StartError(
      `The private key ${files.keyFile} does not belong to the certificate ${files.certFile}.`,
    );
  return certificate;
}

function covers(certificate: X509Certificate, name: string): boolean {
  return (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined;
}

function reason(error: unknown): string {
  if (error instanceof SyntaxError) return 'it is not JSON';
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const words: Record<string, string> = {
    ENOENT: 'it does not exist',
    EACCES: 'this user may not',
    EROFS: 'the disk is read-only',
    EISDIR: 'it is a folder',
  };
  return words[code] ?? (code || 'it failed');
}
