import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { newPerson, type Visitor } from '../../tests/support/client.ts';
import { type HearthProcess, startHearthProcess } from '../../tests/support/hearth.ts';

/** What is ended after a bench, the last first. */
export class Cleanup {
  readonly #closers: Array<() => unknown> = [];

  after(closer: () => unknown): void {
    this.#closers.unshift(closer);
  }

  async run(): Promise<void> {
    for (const closer of this.#closers.splice(0)) await closer();
  }
}

/** Starts Hearth as `npm start` does, without rate limits; its log is not printed. */
export function startOurs(cleanup: Cleanup, dataDir?: string): Promise<HearthProcess> {
  return startHearthProcess(cleanup, dataDir === undefined ? {} : { dataDir });
}

/** One of the floors of `floors.ts` in a process of its own. */
export async function startFloor(
  cleanup: Cleanup,
  name: string,
  ...args: string[]
): Promise<{ url: string; pid: number }> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', new URL('./floors.ts', import.meta.url).pathname, name, ...args],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  cleanup.after(() => {
    child.kill('SIGKILL');
  });
  const [line] = await once(child.stdout, 'data');
  return { url: String(line).trim(), pid: child.pid ?? 0 };
}

/** People with sessions, members of the groups; each costs a quarter of a second, so benches share a few. */
export async function people(url: string, count: number, ...groups: number[]): Promise<Visitor[]> {
  const found: Visitor[] = [];
  for (let number = 0; number < count; number++)
    found.push(await newPerson(url, `person${number}`, ...groups));
  return found;
}

/** Resident memory of a process in KiB, as Linux counts it. */
export function residentKiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
