// npm run chat -- [ADDRESS]               a chat in the terminal
// date | npm run chat -- send GROUP       sends each line of standard input, and exits

import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { type Group, Refusal, type Server } from './terminal/server.ts';
import { readSettings } from './terminal/settings.ts';
import { connectTo } from './terminal/sign-in.ts';

const USAGE = `hearth [ADDRESS]
hearth send GROUP [ADDRESS]

ADDRESS is that of a Hearth, such as https://chat.example; without it the last one, at first http://127.0.0.1:8000.
Without a terminal, or with "send", each line of standard input is sent to GROUP.
HEARTH_TOKEN is a token of yours, from your account's page; without it you sign in.
`;

const SEND_TRIES = 5;
/** Refusals of one line; the next may be taken. */
const OF_A_LINE = new Set([400, 409, 413]);

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return void process.stdout.write(USAGE);
  const isSending = args[0] === 'send';
  // A group may be called so.
  const flag = args.find((arg, index) => arg.startsWith('-') && !(isSending && index === 1));
  if (flag) throw new Error(`There is no ${flag}.\n\n${USAGE}`);
  const [group, given] = isSending ? [args[1], args[2]] : [undefined, args[0]];
  const address = originOf(given ?? readSettings().last ?? 'http://127.0.0.1:8000');
  if (isSending) {
    if (!group) throw new Error('Say where to: date | npm run chat -- send General');
    return sendLines(await connectTo(address, process.stdin.isTTY === true), group);
  }
  if (!process.stdin.isTTY || !process.stdout.isTTY)
    throw new Error('There is no terminal here. To send lines: date | npm run chat -- send General');
  const server = await connectTo(address, true);
  const { showChat } = await import('./terminal/screen.ts');
  await showChat(server);
  // Sockets that are being closed would keep the process.
  process.exit();
}

/** Each line of standard input, in order; an empty one is left out, and one that is refused does not keep back the next. */
async function sendLines(server: Server, name: string): Promise<void> {
  const { items } = await server.get<{ items: Group[] }>('/groups');
  const wanted = name.replace(/^#/, '').toLowerCase();
  const group = items.find((group) => group.isMember && group.name.toLowerCase() === wanted);
  if (!group) throw new Error(`You are in no group "${name}". You are in: ${namesOf(items)}.`);
  let number = 0;
  for await (const line of createInterface({ input: process.stdin })) {
    number += 1;
    if (line.trim() === '') continue;
    try {
      await sendSurely(server, group.id, line);
    } catch (error) {
      const message = `Line ${number} was not sent: ${error instanceof Error ? error.message : String(error)}`;
      if (!(error instanceof Refusal) || !OF_A_LINE.has(error.status))
        throw new Error(message, { cause: error });
      process.stderr.write(`${message}\n`);
      process.exitCode = 1;
    }
  }
}

/** The same id with each try, so that it is sent once. */
async function sendSurely(server: Server, groupId: number, content: string): Promise<void> {
  const id = randomUUID();
  for (let tries = 1; ; tries++) {
    try {
      await server.post(`/groups/${groupId}/messages`, { id, content });
      return;
    } catch (error) {
      const isFinal =
        error instanceof Error && 'status' in error && Number(error.status) < 500 && error.status !== 429;
      if (isFinal || tries === SEND_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1_000 * tries));
    }
  }
}

function namesOf(groups: readonly Group[]): string {
  return groups
    .filter(({ isMember }) => isMember)
    .map(({ name }) => name)
    .join(', ');
}

function originOf(address: string): string {
  const url = /^https?:\/\//.test(address) ? address : `https://${address}`;
  if (!URL.canParse(url))
    throw new Error(`"${address}" is no address. Write one such as https://chat.example.`);
  return new URL(url).origin;
}
