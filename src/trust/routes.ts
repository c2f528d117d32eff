import type { X509Certificate } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { type Request, Router } from 'express';
import { visitor } from '../accounts/access.ts';
import type { Config } from '../config.ts';
import { notFound } from '../errors.ts';
import { qrOf } from '../http/share.ts';
import { sendHtml, type Views } from '../http/views.ts';
import { addressesOfThisMachine } from '../tls/names.ts';
import { systemOf } from './systems.ts';

type Dependencies = {
  views: Views;
  config: Pick<Config, 'tls' | 'httpPort' | 'host'>;
  certificate(): X509Certificate | undefined;
  /** Who signed the certificate, where Hearth made both. */
  authority(): X509Certificate | undefined;
};

/** Features that browsers give to some connections only, and what they need. */
const FEATURES = [
  { id: 'voice', name: 'Recording voice messages', needs: 'secure' },
  { id: 'push', name: 'Notifications while Hearth is closed', needs: 'worker' },
  { id: 'install', name: 'Hearth as an app, and a page of its own without a network', needs: 'worker' },
  { id: 'share', name: 'The share sheet of a phone', needs: 'secure' },
  { id: 'clipboard', name: 'Copying by a button', needs: 'secure' },
] as const;

/** How a device comes to trust this Hearth, and what works on the connection that one has. For everybody, also over HTTP. */
export function trustRoutes({ views, config, certificate, authority }: Dependencies): Router {
  return Router()
    .get('/trust', async (request, response) => {
      const own = authority();
      const address = addressForDevices(request, config);
      sendHtml(
        response,
        views.page(request, 'trust/index.njk', {
          account: visitor(request) ?? null,
          state: own ? 'own' : certificate() ? 'foreign' : 'off',
          issuer: certificate()?.issuer.replace(/\n/g, ', ') ?? '',
          name: own?.subject.replace(/^CN=/, '') ?? '',
          fingerprint: own?.fingerprint256 ?? '',
          until: own ? new Date(own.validTo).toISOString() : '',
          system: systemOf(request.get('user-agent')),
          address: address ?? '',
          qr: address === undefined ? '' : await qrOf(address),
        }),
      );
    })
    .get('/trust/authority.crt', (_request, response) => {
      const own = authority();
      if (!own) throw notFound('This Hearth has no authority of its own.');
      response.set({
        'Content-Type': 'application/x-x509-ca-cert',
        'Content-Disposition': 'attachment; filename="hearth-authority.crt"',
        'Cache-Control': 'no-store',
      });
      response.send(own.raw);
    })
    .get('/connection', (request, response) => {
      const { isSecure, way } = request.arrival;
      const context = {
        account: visitor(request) ?? null,
        features: FEATURES,
        isUsable: isSecure || way === 'local',
      };
      sendHtml(
        response,
        views.page(request, 'trust/connection.njk', { ...context, hasAuthority: authority() !== undefined }),
      );
    });
}

/**
 * The address of this page for another device: without TLS where that is served, since it does not trust the
 * certificate yet. Undefined where Hearth listens on this machine only.
 */
function addressForDevices(
  request: Request,
  { tls, httpPort, host }: Dependencies['config'],
): string | undefined {
  const { isSecure, host: opened, way } = request.arrival;
  if (host === '127.0.0.1' || host === '::1' || host === 'localhost') return undefined;
  const url = new URL(`${isSecure ? 'https' : 'http'}://${opened}/trust`);
  if (way === 'local') {
    const lan = addressesOfThisMachine().find((address) => isIPv4(address));
    if (lan === undefined) return undefined;
    url.hostname = lan;
  }
  if (tls && isSecure && httpPort) {
    url.protocol = 'http:';
    url.port = String(httpPort);
  }
  return url.href;
}
