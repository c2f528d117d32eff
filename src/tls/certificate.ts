import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { StartError } from '../errors.ts';
import { isPrivate, issue, makeAuthority, type Pair } from './authority.ts';
import { namesOfThisMachine } from './names.ts';

/** The certificate of the server, and that of the authority that signed it where Hearth made both. */
export type Certificate = Pair & { authority?: string };

type Files = { certFile: string; keyFile: string; tlsConfigFile: string };

/** First line of a certificate that Hearth made. One without it is the operator's own, and is never replaced. */
const OURS =
  '# Made by Hearth, and made anew before it expires, when it lacks a name of this machine, or its settings change.\n';

/** The first line of the authority's file: the names that it may vouch for, beside private addresses. */
const NAMES_LINE = '# For ';

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
 * Loads the certificate. Where it is ours to make, an authority of this machine is made once, and it signs a
 * certificate for every name; that one is renewed as often as it is needed, and whoever trusts the authority need do
 * nothing.
 * @param names host names and addresses that it has to cover; `namesOfThisMachine()` by default
 * @throws StartError where a file cannot be read or written, the two do not belong together, or somebody's own is not
 *   valid (any more, or yet)
 */
export async function loadCertificate(
  files: Files,
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
  if (isOurs(certificateAndKey.cert)) {
    const settings = settingsLine(readTlsConfig(files.tlsConfigFile));
    const authority = existingAuthority(files, now);
    const isCurrent =
      !isEnding(certificate, now) &&
      certificateAndKey.cert.includes(settings) &&
      names.every((name) => covers(certificate, name)) &&
      authority !== undefined &&
      isSignedBy(certificate, authority);
    return isCurrent
      ? { ...certificateAndKey, authority: authority.cert }
      : makeCertificate(files, names, now);
  }
  if (expired)
    throw new StartError(`The certificate ${files.certFile} expired on ${certificate.validTo}; renew it.`);
  if (Date.parse(certificate.validFrom) > now.getTime())
    throw new StartError(
      `The certificate ${files.certFile} is valid from ${certificate.validFrom} on; check the clock of this machine, or use another one.`,
    );
  return certificateAndKey;
}

/** Whether Hearth made it, so that it makes the next one, too. @param pem the certificate */
export function isOurs(pem: string): boolean {
  return pem.startsWith('# Made by Hearth');
}

/** Whether a start, or a server that runs, makes another one now. @throws StartError where it cannot be read */
export function isToBeRenewed(files: Files, now = new Date()): boolean {
  const cert = read(files.certFile, 'certificate');
  return isOurs(cert) && isEnding(new X509Certificate(cert), now);
}

/** In the last fifth of its lifetime. */
function isEnding({ validFrom, validTo }: X509Certificate, now: Date): boolean {
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  return now.getTime() >= to - (to - from) / 5;
}

async function makeCertificate(files: Files, names: readonly string[], now: Date): Promise<Certificate> {
  const settings = readTlsConfig(files.tlsConfigFile);
  const authority = existingAuthority(files, now);
  const made = authority && (await signed(authority, names, settings, now));
  // The authority may not vouch for a name that this machine has got since: then it takes a new one.
  if (made) return write(files, made, settings, authority.cert);
  const next = await makeAuthority(names, now);
  writeAuthority(files, next, names);
  return write(files, await issue(next, names, settings, now), settings, next.cert);
}

/** Undefined where the authority may not sign for one of the names. */
async function signed(
  authority: Pair,
  names: readonly string[],
  settings: z.infer<typeof tlsConfig>,
  now: Date,
): Promise<Pair | undefined> {
  const line = authority.cert.split('\n').find((text) => text.startsWith(NAMES_LINE)) ?? '';
  const allowed = new Set(line.slice(NAMES_LINE.length).split(' '));
  const mayVouch = names.every((name) => allowed.has(name) || (isIP(name) !== 0 && isPrivate(name)));
  return mayVouch ? issue(authority, names, settings, now) : undefined;
}

function write(
  files: Files,
  made: Pair,
  settings: z.infer<typeof tlsConfig>,
  authority: string,
): Certificate {
  const certificate = { cert: OURS + settingsLine(settings) + made.cert, key: made.key, authority };
  writeFiles(files.certFile, certificate.cert, files.keyFile, certificate.key);
  return certificate;
}

/** Where the authority of this machine lies: beside the certificate. */
function authorityFiles({ certFile }: Files): { certFile: string; keyFile: string } {
  const folder = dirname(certFile);
  return { certFile: join(folder, 'authority.pem'), keyFile: join(folder, 'authority-key.pem') };
}

/** The authority of this machine; undefined where there is none yet, or it has expired. */
function existingAuthority(files: Files, now: Date): Pair | undefined {
  const { certFile, keyFile } = authorityFiles(files);
  if (!existsSync(certFile) || !existsSync(keyFile)) return undefined;
  const pair = { cert: read(certFile, 'certificate'), key: read(keyFile, 'private key') };
  const certificate = parse(pair, { certFile, keyFile });
  return Date.parse(certificate.validTo) > now.getTime() ? pair : undefined;
}

function writeAuthority(files: Files, { cert, key }: Pair, names: readonly string[]): void {
  const { certFile, keyFile } = authorityFiles(files);
  writeFiles(certFile, `${NAMES_LINE}${names.join(' ')}\n${cert}`, keyFile, key);
}

/** @throws StartError where they cannot be written */
function writeFiles(certFile: string, cert: string, keyFile: string, key: string): void {
  try {
    for (const file of [certFile, keyFile]) mkdirSync(dirname(file), { recursive: true });
    writeFileSync(keyFile, key, { mode: 0o600 });
    writeFileSync(certFile, cert);
  } catch (error) {
    throw new StartError(`The certificate cannot be written to ${certFile}: ${reason(error)}.`);
  }
}

function isSignedBy(certificate: X509Certificate, authority: Pair): boolean {
  const issuer = new X509Certificate(authority.cert);
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
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

function parse(pair: Pair, files: { certFile: string; keyFile: string }): X509Certificate {
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
