import { readdirSync, readFileSync } from 'node:fs';
import type { Visitor } from '../../../tests/support/client.ts';
import type { HearthProcess } from '../../../tests/support/hearth.ts';
import { pause, people, residentKiB } from '../processes.ts';
import { median } from '../report.ts';
import { closedLoop } from '../senders.ts';
import { LeanSocket } from '../sockets.ts';

/** Clock ticks a second of /proc/PID/stat (man 5 proc). */
const TICKS = 100;
const SENDERS = 64;
const ROUNDS = 3;

/** So many sockets in each of some groups; returns the first 64. */
export async function connectGroups(url: string, groups: number, listeners: number): Promise<LeanSocket[]> {
  const members = await peopleOf(url);
  for (let id = 3; id <= groups; id++) await members[0]?.post('/groups', { name: `Group ${id}` });
  for (const member of members) for (let id = 1; id <= groups; id++) await member.post(`/groups/${id}/join`);
  const sockets: LeanSocket[] = [];
  for (let index = 0; index < groups * listeners; index++)
    sockets.push(
      await LeanSocket.open(
        url,
        `/ws/chat/${1 + (index % groups)}`,
        members[index % members.length]?.cookie ?? '',
      ),
    );
  await pause(500);
  return sockets.slice(0, SENDERS);
}

const membersByUrl = new Map<string, Promise<Visitor[]>>();

/** Eight people who have accounts at a Hearth. */
function peopleOf(url: string): Promise<Visitor[]> {
  const members = membersByUrl.get(url) ?? people(url, 8);
  membersByUrl.set(url, members);
  return members;
}

/** The median of several rounds, after one that warms up: messages a second, and the seconds of CPU of a message. */
export async function measure(senders: LeanSocket[], parts: Readonly<Record<string, () => number>>) {
  await closedLoop(senders);
  const rates: number[] = [];
  const spent = Object.fromEntries(Object.keys(parts).map((name) => [name, [] as number[]]));
  for (let round = 0; round < ROUNDS; round++) {
    const before = Object.entries(parts).map(([name, read]) => [name, read()] as const);
    const startedAt = performance.now();
    const rate = await closedLoop(senders);
    // Half a second of it is the end of the round.
    const messages = rate * ((performance.now() - startedAt) / 1_000 - 0.5);
    rates.push(rate);
    for (const [name, cpu] of before) spent[name]?.push(((parts[name]?.() ?? 0) - cpu) / messages);
  }
  const cpu = Object.fromEntries(Object.entries(spent).map(([name, values]) => [name, median(values)]));
  return { rate: median(rates), cpu };
}

/** Seconds of CPU of one process. */
export function cpuOf(pid: number): number {
  return cpuWhere((_name, id) => id === pid);
}

/** Seconds of CPU of all processes with this name. */
export function cpuOfAll(name: string): number {
  return cpuWhere((each) => each.startsWith(name));
}

/** What a socket takes that is open and quiet, in KiB. */
export async function memoryOfSocket(hearth: HearthProcess, count = 1_000): Promise<number> {
  const [member] = await people(hearth.url, 1, 1);
  const open = () => LeanSocket.open(hearth.url, '/ws/chat/1', member?.cookie ?? '');
  for (let index = 0; index < 200; index++) await open();
  await pause(1_000);
  const before = residentKiB(hearth.pid);
  for (let index = 0; index < count; index++) await open();
  await pause(1_000);
  return (residentKiB(hearth.pid) - before) / count;
}

function cpuWhere(matches: (name: string, pid: number) => boolean): number {
  let ticks = 0;
  for (const entry of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
    let text = '';
    try {
      text = readFileSync(`/proc/${entry}/stat`, 'utf8');
    } catch {
      // It has ended.
      continue;
    }
    const name = text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'));
    if (!matches(name, Number(entry))) continue;
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / TICKS;
}
