import { type Request, type RequestHandler, Router } from 'express';
import type { Config } from '../config.ts';
import { isSameSecret } from '../crypto/same-secret.ts';
import { forbidden } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import { isLoopback } from './arrival.ts';

type Dependencies = {
  config: Pick<Config, 'metricsToken' | 'trustedProxies'>;
  databases: { canWrite(): Promise<boolean> };
  metrics: Metrics;
  isAlone: boolean;
  isCutOff(): boolean;
};

/**
 * What programs ask that watch over Hearth. `/healthz`: 200 where everything can be written right now, 503 where it cannot.
 * `/readyz` says the same of each part; without Redis, people are served all the same. `/metrics` is for Prometheus.
 */
export function healthRoutes({ config, databases, metrics, isAlone, isCutOff }: Dependencies): Router {
  return Router()
    .get('/healthz', async (_request, response) => {
      const ok = await databases.canWrite();
      response
        .status(ok ? 200 : 503)
        .set('Cache-Control', 'no-store')
        .json({ status: ok ? 'ok' : 'unavailable' });
    })
    .get('/readyz', async (_request, response) => {
      const ok = await databases.canWrite();
      response
        .status(ok ? 200 : 503)
        .set('Cache-Control', 'no-store')
        .json({
          status: ok ? 'ready' : 'unavailable',
          database: ok ? 'ok' : 'unavailable',
          ...(!isAlone && { redis: isCutOff() ? 'unavailable' : 'ok' }),
        });
    })
    .get('/metrics', mayRead(config), async (_request, response) => {
      const { type, text } = await metrics.read();
      response.set('Cache-Control', 'no-store').type(type).send(text);
    });
}

/** With a token, who shows it; without, who asks from this machine and not by way of a proxy. */
function mayRead({ metricsToken, trustedProxies }: Dependencies['config']): RequestHandler {
  return (request, _response, next) => {
    const isAllowed =
      metricsToken === undefined
        ? trustedProxies.length === 0 && isFromHere(request)
        : isSameSecret(request.headers.authorization ?? '', `Bearer ${metricsToken}`);
    if (!isAllowed)
      throw forbidden('Ask with the token that METRICS_TOKEN sets, or without it from this machine.');
    next();
  };
}

function isFromHere({ arrival, headers }: Request): boolean {
  const isForwarded = headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined;
  return !isForwarded && isLoopback(arrival.address);
}

/** For a process that serves nobody: people are sent to it by mistake. */
export const nothingElse: RequestHandler = (_request, response) => {
  response.status(404).type('text').send('This process of Hearth only works in the background.\n');
};
