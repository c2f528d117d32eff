// npm run populate -- --messages 20000     fills a new data folder with people, groups and months of messages
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadKeyring } from '../src/crypto/keys.ts';
import { createPasswords } from '../src/crypto/passwords.ts';
import { lockDataFolder } from '../src/database/lock.ts';
import { openDatabases } from '../src/database/open.ts';
import { checkKeyring } from '../src/database/sealing.ts';
import { StartError } from '../src/errors.ts';
import type { NewMessage } from '../src/messages/message.ts';
import { newMessageId } from '../src/messages/send.ts';
import { openStores, type Stores } from '../src/stores.ts';
import { createRandom, PEOPLE, ROOMS, somethingSaid } from './populate/talk.ts';

const USAGE = `npm run populate -- [flags]

  --data FOLDER     a folder that holds nothing yet (data)
  --messages N      how many messages (5000)
  --people N        how many people (24)
  --groups N        how many groups (12)
  --months N        over how many months, up to today (6)
  --password WORDS  the password of every one of them (let me in please)
  --seed N          another number makes other conversations (1)
`;

const BATCH = 2_000;
const DAY_MS = 86_400_000;
const EMOJI = ['👍', '❤️', '😄', '🎉', '🙏', '👀'];

export type Population = {
  dataDir: string;
  messages: number;
  people: number;
  groups: number;
  months: number;
  password: string;
  seed: number;
};

if (process.argv[1] === new URL(import.meta.url).pathname) {
  try {
    const wanted = readFlags(process.argv.slice(2));
    if (wanted === undefined) process.stdout.write(USAGE);
    else {
      const names = await populate(wanted, (done) => process.stderr.write(`\r${done} messages`));
      process.stderr.write('\n');
      console.log(
        `${wanted.dataDir} holds ${names.length} people. Start it with: npm start -- --data ${wanted.dataDir}\n` +
          `Sign in as ${names[0]}, the administrator, or as ${names.slice(1, 4).join(', ')}, with the password: ${wanted.password}`,
      );
    }
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
}

function readFlags(args: string[]): Population | undefined {
  const options = {
    data: { type: 'string', default: 'data' },
    messages: { type: 'string', default: '5000' },
    people: { type: 'string', default: '24' },
    groups: { type: 'string', default: '12' },
    months: { type: 'string', default: '6' },
    password: { type: 'string', default: 'let me in please' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  let values: ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];
  try {
    values = parseArgs({ args, options }).values;
  } catch (error) {
    throw new StartError(`${error instanceof Error ? error.message.split('. ')[0] : error}. See --help.`);
  }
  if (values.help) return undefined;
  const whole = (name: 'messages' | 'people' | 'groups' | 'months' | 'seed', most: number) => {
    const text = values[name];
    if (/^[1-9]\d*$/.test(text) && Number(text) <= most) return Number(text);
    throw new StartError(`--${name} takes a whole number from 1 to ${most}, not "${text}".`);
  };
  return {
    dataDir: values.data,
    messages: whole('messages', 10_000_000),
    people: whole('people', 10_000),
    groups: whole('groups', 2_000),
    months: whole('months', 240),
    seed: whole('seed', 2 ** 31),
    password: values.password,
  };
}

/**
 * Fills an empty data folder, as people would have over months: more in the evening than at night, in bursts, some
 * groups much busier than others; with replies, calls and reactions.
 * @param report is told how many messages there are so far
 * @returns the names of the people; the first is the administrator
 * @throws StartError where there is data already, or Hearth runs on it
 */
export async function populate(wanted: Population, report: (messages: number) => void): Promise<string[]> {
  const { dataDir } = wanted;
  if (existsSync(join(dataDir, 'chat.sqlite3')))
    throw new StartError(`${dataDir} holds data already; name another folder with --data.`);
  const lock = lockDataFolder(dataDir);
  const databases = openDatabases(dataDir);
  const passwords = createPasswords();
  try {
    const keyring = loadKeyring(undefined, dataDir, true);
    for (const database of [databases.users, databases.chat]) await checkKeyring(database, keyring);
    const stores = await openStores(databases, keyring);
    return await fill(stores, wanted, await passwords.hash(wanted.password), report);
  } finally {
    await passwords.close();
    await databases.close();
    lock.release();
  }
}

async function fill(
  { accounts, groups, messages }: Pick<Stores, 'accounts' | 'groups' | 'messages'>,
  wanted: Population,
  passwordHash: string,
  report: (messages: number) => void,
): Promise<string[]> {
  const random = createRandom(wanted.seed);
  const end = Date.now();
  const start = end - wanted.months * 30 * DAY_MS;

  const people: { id: number; name: string }[] = [];
  for (let index = 0; index < wanted.people; index++) {
    const name = numbered(PEOPLE, index, '');
    const account = await accounts.add({ username: name, passwordHash, isAdmin: index === 0, now: start });
    if (typeof account !== 'string') people.push({ id: account.id, name });
  }
  const rooms: {
    id: number;
    members: typeof people;
    last: (typeof people)[number] | undefined;
    seq: number;
  }[] = [];
  for (let index = 0; index < wanted.groups; index++) {
    const name = index === 0 ? 'General' : numbered(ROOMS, index - 1, ' ');
    const group = await groups.add({ name, creatorId: null, now: start });
    if (!group) continue;
    const members = people.filter((person) => index === 0 || person === people[0] || random() < 0.55);
    for (const { id } of members) await groups.join(id, group.id, start);
    rooms.push({ id: group.id, members, last: undefined, seq: 0 });
  }

  // A few who also write to each other, most of them to the one who is signed in as first.
  for (let index = 1; index <= Math.min(6, people.length - 1); index++) {
    const members = [people[index % 3 ? 0 : index - 1], people[index]].filter(
      (person) => person !== undefined,
    );
    const { group } = await groups.direct(
      members.map((member) => member.id),
      members[0]?.id ?? 0,
      start,
    );
    rooms.push({ id: group.id, members, last: undefined, seq: 0 });
  }

  const times = timesBetween(start, end, wanted.messages, random);
  for (let from = 0; from < wanted.messages; from += BATCH) {
    const batch = [...times.subarray(from, from + BATCH)].map((at) => newMessage(at));
    await messages.append(batch);
    await react(batch);
    report(from + batch.length);
  }
  const marks = rooms.flatMap((room) =>
    room.members.map(({ id }) => {
      const behind = random() < 0.7 ? 0 : Math.floor(random() * 30);
      return { accountId: id, groupId: room.id, seq: Math.max(0, room.seq - behind), now: end };
    }),
  );
  await groups.markRead(marks);
  return people.map((person) => person.name);

  function newMessage(at: number): NewMessage {
    // Squared: a few rooms are busy and most are quiet.
    const room = rooms[Math.floor(random() ** 2 * rooms.length)];
    const author =
      random() < 0.35 && room?.last ? room.last : room?.members[Math.floor(random() * room.members.length)];
    if (!room || !author) throw new Error('There is nobody to say anything.');
    room.last = author;
    room.seq += 1;
    const said = somethingSaid(random);
    const message = {
      groupId: room.id,
      id: newMessageId(at),
      authorId: author.id,
      content: said,
      createdAt: at,
    };
    if (random() < 0.03) {
      const called = room.members[Math.floor(random() * room.members.length)] ?? author;
      return { ...message, content: `@${called.name} ${said}`, mentions: [called.id] };
    }
    return message;
  }

  /** About one message in thirty has a reaction, and one in forty is answered. */
  async function react(batch: readonly NewMessage[]): Promise<void> {
    const chosen = rooms.flatMap((room) => {
      const count = Math.ceil((batch.length / 30) * (1 / rooms.length));
      return Array.from({ length: Math.min(count, room.seq) }, (_, index) => ({
        room,
        seq: room.seq - index * 3,
      }));
    });
    await messages.amend(
      chosen
        .filter(({ seq }) => seq > 0)
        .map(({ room, seq }) => {
          const emoji = EMOJI[Math.floor(random() * EMOJI.length)] ?? '👍';
          const accountIds = room.members.filter(() => random() < 0.2).map((member) => member.id);
          return {
            groupId: room.id,
            seq,
            amend: (message) =>
              accountIds.length > 0 ? { ...message, reactions: [{ emoji, accountIds }] } : message,
          };
        }),
    );
    const replies = chosen.slice(0, Math.ceil(batch.length / 40)).flatMap(({ room, seq }) => {
      const author = room.members[Math.floor(random() * room.members.length)];
      if (!author || seq < 1) return [];
      room.seq += 1;
      const createdAt = batch.at(-1)?.createdAt ?? end;
      const content = somethingSaid(random);
      const reply = {
        groupId: room.id,
        id: newMessageId(createdAt),
        authorId: author.id,
        content,
        createdAt,
      };
      return [{ ...reply, replyTo: seq, thread: seq }];
    });
    await messages.append(replies);
  }
}

/** The nth of a list of names; beyond its end they are numbered. */
function numbered(names: readonly string[], index: number, between: string): string {
  const round = Math.floor(index / names.length);
  return `${names[index % names.length]}${round > 0 ? `${between}${round + 1}` : ''}`;
}

/** Times in order: by day and by hour as people talk. */
function timesBetween(start: number, end: number, count: number, random: () => number): Float64Array {
  const times = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    const day = start + Math.floor(random() * ((end - start) / DAY_MS)) * DAY_MS;
    // Two draws in the middle of the day and a pull towards the evening; hardly anybody at night.
    const hour = 7 + 16 * (0.5 + (random() + random() - 1) * 0.5) ** 0.8;
    times[index] = Math.min(end, new Date(day).setHours(0, 0, 0, 0) + hour * 3_600_000 + random() * 60_000);
  }
  return times.map(Math.round).sort();
}
