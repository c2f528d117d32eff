import { startCluster } from '../../tests/support/cluster.ts';
import { startHearthProcess } from '../../tests/support/hearth.ts';
import type { Cleanup } from './processes.ts';
import { type Finding, finding, inTurns } from './report.ts';
import { closedLoop, connect } from './senders.ts';

/**
 * Durable messages a second of one, two and three processes on PostgreSQL and Redis, all on this machine, against one on
 * SQLite. There is no wanted ratio on two cores, which the engines share with the processes: it says what each costs.
 */
export async function cluster(cleanup: Cleanup): Promise<Finding[]> {
  const env = { SEARCH_INDEX: 'off' };
  const alone = await startHearthProcess(cleanup, { env });
  const onSqlite = await connect([alone.url]);
  await closedLoop(onSqlite);
  const findings: Finding[] = [];
  for (const size of [1, 2, 3]) {
    const { urls } = await startCluster(cleanup, { size, env: { ...env, RATE_LIMITS: 'off' } });
    const sockets = await connect(urls);
    await closedLoop(sockets);
    const found = await inTurns(
      3,
      () => closedLoop(onSqlite),
      () => closedLoop(sockets),
    );
    findings.push(finding(`cluster-${size}`, 'messages/s', found, 0));
  }
  return findings;
}
