import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What is measured of this process, in the form that Prometheus reads. Labels are of a few values; none names a person or a group. */
export type Metrics = {
  /** An answer that was sent. @param ms how long it took */
  request(method: string, status: number, ms: number): void;
  /** A commit of messages. @param count how many of them */
  commit(count: number, seconds: number): void;
  /** A change that was written to everybody who listens. @param seconds from its event on */
  push(seconds: number): void;
  /** A number that is read whenever somebody asks; with names, one for each. */
  watch(name: string, help: string, read: () => Reading | Promise<Reading>): void;
  /** Everything, and the type of it. */
  read(): Promise<{ type: string; text: string }>;
};

export type Reading = number | Readonly<Record<string, number>>;

const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
const COUNTS = [1, 2, 5, 10, 20, 50, 100, 200, 500];
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

export function createMetrics(): Metrics {
  const registers = [new Registry()];
  const [registry = new Registry()] = registers;
  const histogram = <Label extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: Label[] = [],
  ) => new Histogram({ name, help, buckets, labelNames, registers });
  const requests = histogram('hearth_request_seconds', 'Answers to requests.', SECONDS, ['method', 'status']);
  const commits = histogram('hearth_commit_seconds', 'Commits of messages.', SECONDS);
  const batches = histogram('hearth_commit_messages', 'Messages of a commit.', COUNTS);
  const pushes = histogram(
    'hearth_push_seconds',
    'From the event of a change until it was written.',
    SECONDS,
  );
  let hasDefaults = false;
  return {
    request(method, status, ms) {
      const labels = {
        method: METHODS.has(method) ? method : 'other',
        status: `${Math.floor(status / 100)}xx`,
      };
      requests.observe(labels, ms / 1_000);
    },
    commit(count, seconds) {
      commits.observe(seconds);
      batches.observe(count);
    },
    push: (seconds) => pushes.observe(seconds),
    watch(name, help, read) {
      const gauge: Gauge<'name'> = new Gauge({
        ...{ name, help, registers, labelNames: ['name'] },
        async collect() {
          gauge.reset();
          // What cannot be read right now is left out.
          const reading = await (async () => read())().catch(() => undefined);
          if (reading === undefined) return;
          if (typeof reading === 'number') return gauge.set(reading);
          for (const [key, value] of Object.entries(reading)) gauge.set({ name: key }, value);
        },
      });
    },
    async read() {
      // The event loop is watched from the first question on: nobody pays for it who does not ask.
      if (!hasDefaults) collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 20 });
      hasDefaults = true;
      return { type: registry.contentType, text: await registry.metrics() };
    },
  };
}
