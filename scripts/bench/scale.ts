import { startCluster } from '../../tests/support/cluster.ts';
import { startHearthProcess } from '../../tests/support/hearth.ts';
import { offer } from './fanout.ts';
import type { Cleanup } from './processes.ts';
import type { Finding } from './report.ts';
import { fit } from './scale/fit.ts';
import { connectGroups, cpuOf, cpuOfAll, measure, memoryOfSocket } from './scale/measure.ts';
import { listenersPerMessage, messagesPerSecond, simulatePeople } from './scale/population.ts';
import { type Costs, closedLoop, FREE } from './scale/simulate.ts';

const SENDERS = 64;
/** Groups, and the sockets in each, all with 64 senders. */
const SQLITE_POINTS = [
  [16, 4],
  [4, 16],
  [2, 32],
  [1, 64],
  [1, 256],
] as const;
const POSTGRES_POINTS = [
  [16, 4],
  [4, 16],
  [1, 64],
] as const;
/** The simulation agrees where the smaller rate is this much of the larger. */
const SAME = 0.8;
/** A part that is busier than this makes people wait in bursts. */
const BUSY = 0.6;
/** Of the sockets of one process. */
const MAX_KIB = 1_500_000;
const SIZES = [1_000, 10_000, 100_000, 1_000_000];
const ENV = { SEARCH_INDEX: 'off', RATE_LIMITS: 'off' };

/**
 * Measures what a message, a frame and a socket cost here, shows that a simulation that is made of some points reproduces
 * the others, and says what so many people need.
 */
export async function scale(cleanup: Cleanup): Promise<Finding[]> {
  const { findings, commit } = await postgresPoints(cleanup);
  const found = [...(await sqlitePoints(cleanup)), ...findings];
  const sqlite = await alone(cleanup, 'SQLite');
  const postgres = { ...(await alone(cleanup, 'PostgreSQL')), commit };
  const idle = await startHearthProcess(cleanup, { env: ENV });
  const socketKiB = await memoryOfSocket(idle);
  print({ sqlite, postgres, socketKiB });
  return found;
}

async function sqlitePoints(cleanup: Cleanup): Promise<Finding[]> {
  const rates: number[] = [];
  for (const [groups, listeners] of SQLITE_POINTS) {
    const { url } = await startHearthProcess(cleanup, { env: ENV });
    rates.push((await measure(await connectGroups(url, groups, listeners), {})).rate);
  }
  // What a message takes: something by itself, its part of what each group of a batch takes, and a frame to each socket.
  const rows = SQLITE_POINTS.map(([groups, listeners]) => [1, groups / SENDERS, listeners]);
  const taken = rates.map((rate) => 1 / rate);
  const [message = 0, group = 0, delivery = 0] = fit(rows, taken);
  const costs = { ...FREE, commit: { batch: 0, message, group }, delivery };
  return SQLITE_POINTS.map(([groups, listeners], index) => {
    const simulated = closedLoop(costs, SENDERS, groups, listeners);
    return compared(`scale-sqlite-${groups}x${listeners}`, rates[index] ?? 0, simulated);
  });
}

/** A commit takes so long by itself, for each message and for each group: from many in many groups, many in one, and one. */
async function postgresPoints(cleanup: Cleanup): Promise<{ findings: Finding[]; commit: Costs['commit'] }> {
  const rates: number[] = [];
  for (const [groups, listeners] of POSTGRES_POINTS) {
    const { urls } = await startCluster(cleanup, { size: 1, env: ENV });
    rates.push((await measure(await connectGroups(urls[0] ?? '', groups, listeners), {})).rate);
  }
  const { urls } = await startCluster(cleanup, { size: 1, env: ENV });
  const one = await measure((await connectGroups(urls[0] ?? '', 1, 1)).slice(0, 1), {});
  const [many = 0, middle = 0, few = 0] = rates;
  const group = (SENDERS / many - SENDERS / few) / (16 - 1);
  const message = (SENDERS / few - 1 / one.rate) / (SENDERS - 1);
  const commit = { group, message, batch: 1 / one.rate - message - group };
  const findings = [compared('scale-postgres-4x16', middle, closedLoop({ ...FREE, commit }, SENDERS, 4, 16))];
  return { findings, commit };
}

/** What a message costs that is committed by itself, and a frame that is written by itself: the most they ever do. */
async function alone(cleanup: Cleanup, engine: 'SQLite' | 'PostgreSQL'): Promise<Costs> {
  const { url, pid } =
    engine === 'SQLite'
      ? await startHearthProcess(cleanup, { env: ENV })
      : (await startCluster(cleanup, { size: 1, env: ENV })).process(0);
  const parts = {
    loop: () => cpuOf(pid),
    database: () => cpuOfAll('postgres'),
    bus: () => cpuOfAll('redis'),
  };
  const senders = await connectGroups(url, 2, 500);
  const before = cpuOf(pid);
  const [rate, seconds] = [20, 4];
  await offer(senders, rate, seconds);
  const wide = (cpuOf(pid) - before) / (rate * seconds);
  const { cpu } = await measure((await connectGroups(url, 20, 1)).slice(-1), parts);
  const { loop = 0, database = 0, bus = 0 } = cpu;
  const delivery = (wide - loop) / (500 - 1);
  const isShared = engine === 'PostgreSQL';
  return {
    ...FREE,
    ...{ message: loop - delivery, delivery },
    // Without PostgreSQL there is none, and no other process that reads a message.
    ...{ database: isShared ? database : 0, bus: isShared ? bus : 0, remote: isShared ? loop / 2 : 0 },
  };
}

function compared(bench: string, measured: number, simulated: number): Finding {
  const ratio = Math.min(measured, simulated) / Math.max(measured, simulated);
  return {
    ...{ bench, unit: 'messages/s, simulated and measured', wanted: SAME },
    ...{ hearth: Math.round(simulated), floor: Math.round(measured), ratio: Math.round(ratio * 100) / 100 },
  };
}

type Measured = { sqlite: Costs; postgres: Costs; socketKiB: number };

/** A line for each number of people: the fewest processes with which no part is too busy. */
function print({ sqlite, postgres, socketKiB }: Measured): void {
  const micro = (seconds: number) => `${(seconds * 1e6).toFixed(0)} µs`;
  console.log(`
By itself, a message takes ${micro(sqlite.message)} of CPU on SQLite; on PostgreSQL ${micro(postgres.message)} of Hearth, ${micro(postgres.database)} of
PostgreSQL and ${micro(postgres.bus)} of Redis. A frame by itself takes ${micro(sqlite.delivery)}, a quiet socket ${socketKiB.toFixed(0)} KiB.
`);
  const widths = [11, 12, 17, 12, 18, 6, 28, 6, 0];
  const line = (cells: readonly (string | number)[]) =>
    console.log(cells.map((cell, column) => String(cell).padEnd(widths[column] ?? 0)).join(''));
  line([
    'people',
    'messages/s',
    'sockets/message',
    'on',
    'processes',
    'loop',
    'database',
    'bus',
    'p99 of the lag',
  ]);
  for (const people of SIZES)
    for (const [engine, costs] of [
      ['SQLite', sqlite],
      ['PostgreSQL', postgres],
    ] as const) {
      const { processes, outcome, isEnough } = needOf(
        costs,
        people,
        socketKiB,
        engine === 'SQLite' ? 1 : 200,
      );
      const percent = (share: number) => `${Math.round(share * 100)} %`;
      const { loop, database, bus } = outcome.load;
      line([
        ...[
          people.toLocaleString('en'),
          messagesPerSecond(people).toFixed(0),
          listenersPerMessage(people).toFixed(0),
          engine,
        ],
        ...[
          isEnough ? processes : `${processes} is not enough`,
          percent(loop),
          database.toFixed(2),
          percent(bus),
        ],
        isEnough ? `${(outcome.p99 * 1_000).toFixed(1)} ms` : '',
      ]);
    }
}

function needOf(costs: Costs, people: number, socketKiB: number, most: number) {
  const bySockets = Math.ceil((people * 0.2 * socketKiB) / MAX_KIB);
  for (let processes = Math.min(most, bySockets); ; processes = Math.min(most, Math.ceil(processes * 1.2))) {
    const outcome = simulatePeople(costs, { people, processes }, { seconds: 10, random: Math.random });
    const isEnough = outcome.load.loop <= BUSY && processes >= bySockets;
    if (isEnough || processes >= most) return { processes, outcome, isEnough };
  }
}
