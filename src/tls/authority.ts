import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  id_ce_nameConstraints,
  NameConstraints,
} from '@peculiar/asn1-x509';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** PEM, as `https.createServer` takes them. */
export type Pair = { cert: string; key: string };

export type LeafSettings = {
  subject: Readonly<Record<string, string | undefined>>;
  lifetimeDays: number;
  keySize: number;
};

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3_650;
const CURVE = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
} as const;

/** Addresses that routers give out, and loopback (RFC 1918, 3927, 4193, 4291, 6598). */
const PRIVATE_RANGES = [
  ...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', '100.64.0.0/10', '127.0.0.0/8'],
  ...['::1/128', 'fc00::/7', 'fe80::/10'],
];

/** The short names that certificates have for the fields of a subject (RFC 4514). */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  commonName: 'CN',
  organizationName: 'O',
  organizationalUnitName: 'OU',
  localityName: 'L',
  stateOrProvinceName: 'ST',
  countryName: 'C',
};

/**
 * Makes a certificate authority that can vouch for these names and for private addresses, and for nothing else (name
 * constraints, RFC 5280, 4.2.1.10): whoever steals its key cannot pretend to be another site. An address that the
 * router hands out anew needs no new authority.
 */
export async function makeAuthority(names: readonly string[], now: Date): Promise<Pair> {
  const keys = await webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    // Devices list it by this name: the day tells two of one machine apart.
    name: [
      {
        CN: [
          `Hearth on ${names.find((name) => !isIP(name) && name !== 'localhost') ?? 'this machine'} (${now.toISOString().slice(0, 10)})`,
        ],
      },
    ],
    notBefore: new Date(now.getTime() - DAY_MS),
    notAfter: new Date(now.getTime() + AUTHORITY_DAYS * DAY_MS),
    keys,
    signingAlgorithm: CURVE,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      // Neither mail nor programs are signed in its name.
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      constrainedTo(names),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: `${certificate.toString('pem')}\n`, key: await pemOf(keys.privateKey) };
}

/** Makes a certificate for a server, signed by an authority. */
export async function issue(
  authority: Pair,
  names: readonly string[],
  { subject, lifetimeDays, keySize }: LeafSettings,
  now: Date,
): Promise<Pair> {
  const issuer = new X509Certificate(authority.cert);
  const signingKey = await webcrypto.subtle.importKey('pkcs8', bytesOf(authority.key), CURVE, false, [
    'sign',
  ]);
  const keys = await webcrypto.subtle.generateKey({ ...RSA, modulusLength: keySize }, true, [
    'sign',
    'verify',
  ]);
  const fields = Object.entries(subject).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: fields.map(([name, value]) => ({ [SHORT_NAMES[name] ?? name]: [value] })),
    issuer: issuer.subject,
    notBefore: new Date(now.getTime() - 60_000),
    notAfter: new Date(now.getTime() + lifetimeDays * DAY_MS),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: CURVE,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(
        names.map((name) => ({ type: isIP(name) ? ('ip' as const) : ('dns' as const), value: name })),
      ),
      await AuthorityKeyIdentifierExtension.create(issuer),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: `${certificate.toString('pem')}\n`, key: await pemOf(keys.privateKey) };
}

const privateAddresses = new BlockList();
for (const range of PRIVATE_RANGES) {
  const [address = '', bits] = range.split('/');
  privateAddresses.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/** Whether every authority of Hearth may vouch for an address. */
export function isPrivate(address: string): boolean {
  return privateAddresses.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

function constrainedTo(names: readonly string[]): Extension {
  const addresses = names
    .filter((name) => isIP(name) && !isPrivate(name))
    .map((name) => `${name}/${isIP(name) === 6 ? 128 : 32}`);
  const subtrees = [
    ...names.filter((name) => !isIP(name)).map((dNSName) => new GeneralName({ dNSName })),
    ...[...PRIVATE_RANGES, ...addresses].map((iPAddress) => new GeneralName({ iPAddress })),
  ];
  const constraints = new NameConstraints({
    permittedSubtrees: new GeneralSubtrees(subtrees.map((base) => new GeneralSubtree({ base }))),
  });
  return new Extension(id_ce_nameConstraints, true, AsnConvert.serialize(constraints));
}

/** Positive, as RFC 5280, 4.1.2.2 asks. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  const base64 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${base64.replace(/(.{64})/g, '$1\n').trim()}\n-----END PRIVATE KEY-----\n`;
}

function bytesOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
}
