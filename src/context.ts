import type { Logger } from 'pino';
import { eventsMissed, type Publish, type Subscribe } from './bus/bus.ts';
import { createLocalBus } from './bus/local.ts';
import { createRedisBus } from './bus/redis.ts';
import { type Caches, createCaches } from './cache/caches.ts';
import type { Config } from './config.ts';
import type { Keyring } from './crypto/keys.ts';
import type { Databases } from './database/open.ts';
import { secretOf } from './database/sealing.ts';
import { assetFolder } from './http/static.ts';
import { createViews, type Views } from './http/views.ts';
import { createJobs, type Jobs } from './jobs.ts';
import { createLimits, type Limits } from './limits.ts';
import { createMailer, type Mailer } from './mail/mailer.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import type { Redis } from './redis.ts';

/** What the install function of every feature gets. */
export type Context = Readonly<{
  config: Config;
  log: Logger;
  publish: Publish;
  subscribe: Subscribe;
  /** Only what this process publishes: for work that has to be done once. */
  subscribeOwn: Subscribe;
  /** Tells the listeners of this process of what another one did. */
  deliver: Publish;
  caches: Caches;
  limits: Limits;
  metrics: Metrics;
  views: Views;
  databases: Databases;
  jobs: Jobs;
  /** Whether this is the only process of this Hearth. */
  isAlone: boolean;
  /** Whether other processes cannot be heard right now. */
  isCutOff(): boolean;
  /** Undefined where no mail server is set. */
  mailer: Mailer | undefined;
  /** A random secret of one database, made when first asked for. */
  secret(database: 'users' | 'chat', name: string): Promise<Buffer>;
  /** Logs an error of work in the background. */
  report(error: unknown): void;
  /** Registers a function to run at shutdown; the last one registered runs first. */
  atStop(stop: () => unknown): void;
}>;

export async function createContext({
  config,
  log,
  databases,
  keyring,
  redis,
}: {
  config: Config;
  log: Logger;
  databases: Databases;
  keyring: Keyring;
  redis: Redis | undefined;
}): Promise<Context & { stop(): Promise<void> }> {
  const report = (err: unknown) => log.error({ err }, 'something failed in the background');
  const tellHeard = (event: string) => log.debug({ event }, 'another process told of it');
  const local = createLocalBus((err, event) => log.error({ err, event }, 'a listener failed'));
  const shared = redis && (await createRedisBus(redis, local, report, tellHeard));
  const bus = shared ?? local;
  databases.whenUncertain(() => bus.publish(eventsMissed, {}));
  const metrics = createMetrics();
  const caches = createCaches(bus.subscribeFirst);
  metrics.watch('hearth_cache_entries', 'Entries of each cache.', caches.sizes);
  metrics.watch('hearth_cache_lookups', 'How often values were asked for.', () => caches.counts('lookups'));
  metrics.watch('hearth_cache_loads', 'How often values had to be loaded.', () => caches.counts('loaded'));
  metrics.watch('hearth_redis_away', 'Whether Redis does not answer.', () =>
    Number(redis?.isAway() === true),
  );
  const mailer = createMailer(config, report);
  const jobs = createJobs(config.role !== 'web', bus, log);
  const stops: (() => unknown)[] = [() => mailer?.stop()];
  return {
    mailer,
    isAlone: redis === undefined,
    isCutOff: () => redis?.isAway() === true,
    config,
    log,
    publish: bus.publish,
    subscribe: bus.subscribe,
    subscribeOwn: bus.subscribeOwn,
    deliver: bus.deliver,
    caches,
    limits: createLimits(config.rateLimits, redis),
    metrics,
    views: createViews(assetFolder(config.assetVersion)),
    databases: jobs.areHere ? databases : { ...databases, inTurn: async (name) => void jobs.tell(name) },
    jobs,
    secret: (database, name) => secretOf(databases[database], keyring, name),
    report,
    atStop: (stop) => void stops.unshift(stop),
    async stop() {
      for (const stop of stops) await stop();
      jobs.stop();
      await shared?.stop();
    },
  };
}
