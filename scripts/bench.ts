// npm run bench            all of them
// npm run bench -- NAME    one
import { cluster } from './bench/cluster.ts';
import { fanout } from './bench/fanout.ts';
import { history } from './bench/history.ts';
import { idle } from './bench/idle.ts';
import { languages } from './bench/languages.ts';
import { login } from './bench/login.ts';
import { Cleanup } from './bench/processes.ts';
import { type Finding, print } from './bench/report.ts';
import { page, post } from './bench/requests.ts';
import { scale } from './bench/scale.ts';
import { search } from './bench/search.ts';
import { senders } from './bench/senders.ts';
import { speech } from './bench/speech.ts';

const BENCHES: Record<string, (cleanup: Cleanup) => Promise<Finding[]>> = {
  fanout,
  senders,
  page,
  post,
  idle,
  history,
  search,
  login,
  speech,
  languages,
  cluster,
  scale,
};

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !Object.hasOwn(BENCHES, name));
if (unknown !== undefined) {
  console.error(`There is no bench "${unknown}"; there are ${Object.keys(BENCHES).join(', ')}.`);
  process.exit(2);
}

const findings: Finding[] = [];
for (const [name, bench] of Object.entries(BENCHES)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  process.stderr.write(`${name}\n`);
  const cleanup = new Cleanup();
  try {
    findings.push(...(await bench(cleanup)));
  } finally {
    await cleanup.run();
  }
}
print(findings);
