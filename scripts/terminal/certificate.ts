import { X509Certificate } from 'node:crypto';
import { connect, type DetailedPeerCertificate, type SecureContextOptions } from 'node:tls';
import type { Prompt } from './prompt.ts';
import { asUnreachable } from './unreachable.ts';

export type TlsOptions = SecureContextOptions & {
  allowPartialTrustChain?: boolean;
  checkServerIdentity?: () => undefined;
};

const CONNECT_MS = 10_000;

/**
 * How to connect to a server over TLS. A certificate that the system trusts needs nothing. Any other is shown once, and
 * accepted by its fingerprint; from then on only that certificate is.
 * @param known the fingerprint that was accepted before
 * @throws Error where it is another than before, or is not accepted
 */
export async function tlsOptionsFor(
  url: URL,
  known: string | undefined,
  prompt: Prompt | undefined,
): Promise<{ options: TlsOptions; fingerprint: string | undefined }> {
  if (url.protocol !== 'https:') return { options: {}, fingerprint: known };
  const { certificate, isTrusted } = await certificateOf(url);
  if (isTrusted && known === undefined) return { options: {}, fingerprint: undefined };
  const fingerprint = certificate.fingerprint256;
  if (known !== undefined && known !== fingerprint)
    throw new Error(
      `The certificate of ${url.host} is another than before. Somebody may read along: ask whoever runs it for the fingerprint ${fingerprint}. Remove the old one from terminal.json once it is right.`,
    );
  if (known === undefined) {
    if (!prompt)
      throw new Error(
        `Nobody vouches for the certificate of ${url.host}. Run this in a terminal once to accept it.`,
      );
    const answer = await prompt.ask(
      `Nobody vouches for the certificate of ${url.host}.\nIts fingerprint is ${fingerprint}\nIs it the one that you were told? (yes/no) `,
    );
    if (answer.trim().toLowerCase() !== 'yes') throw new Error('Not connected.');
  }
  const pem = new X509Certificate(certificate.raw).toString();
  // Exactly this certificate is trusted, whatever names it has.
  return {
    options: { ca: pem, allowPartialTrustChain: true, checkServerIdentity: () => undefined },
    fingerprint,
  };
}

function certificateOf(url: URL): Promise<{ certificate: DetailedPeerCertificate; isTrusted: boolean }> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      {
        // A URL has an IPv6 address in brackets.
        host: url.hostname.replace(/^\[|\]$/g, ''),
        port: Number(url.port || 443),
        ...(/^[\d.:[\]]+$/.test(url.hostname) ? {} : { servername: url.hostname }),
        // Only the certificate is read here; nothing is sent.
        rejectUnauthorized: false,
        timeout: CONNECT_MS,
      },
      () => {
        const certificate = socket.getPeerCertificate(true);
        resolve({ certificate, isTrusted: socket.authorized });
        socket.destroy();
      },
    );
    socket.on('timeout', () => socket.destroy(new Error(`${url.host} does not answer.`)));
    socket.on('error', (error) => reject(asUnreachable(error, url)));
  });
}
