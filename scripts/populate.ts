// npm run populate -- --messages 20000     fills a new data folder with people, groups and months of messages
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readCommand } from '../src/config.ts';
import { loadKeyring } from '../src/crypto/keys.ts';
import { createPasswords } from '../src/crypto/passwords.ts';
import { lockDataFolder } from '../src/database/lock.ts';
import { openDatabases } from '../src/database/open.ts';
import { checkKeyring } from '../src/database/sealing.ts';
import { StartError } from '../src/errors.ts';
import type { Message, NewMessage } from '../src/messages/message.ts';
import { newMessageId } from '../src/messages/send.ts';
import { BCRYPT_COST } from '../src/settings.ts';
import { openStores, type Stores } from '../src/stores.ts';
import { version } from '../src/version.ts';
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
  /** Undefined for one in the folder. */
  encryptionKey?: string | undefined;
};

type Somebody = { id: number; name: string };
type Room = { id: number; members: Somebody[]; last: Somebody | undefined; seq: number };

class Filler {
  readonly #stores: Pick<Stores, 'accounts' | 'groups' | 'messages'>;
  readonly #wanted: Population;
  readonly #random: () => number;
  readonly #end = Date.now();
  readonly #start: number;
  readonly #people: Somebody[] = [];
  readonly #rooms: Room[] = [];

  constructor(stores: Pick<Stores, 'accounts' | 'groups' | 'messages'>, wanted: Population) {
    this.#stores = stores;
    this.#wanted = wanted;
    this.#random = createRandom(wanted.seed);
    this.#start = this.#end - wanted.months * 30 * DAY_MS;
  }

  async fill(passwordHash: string, report: (messages: number) => void): Promise<string[]> {
    await this.#addPeople(passwordHash);
    await this.#addGroups();
    await this.#addDirects();
    const count = this.#wanted.messages;
    const times = timesBetween(this.#start, this.#end, count, this.#random);
    for (let from = 0; from < count; from += BATCH) {
      const batch = [...times.subarray(from, from + BATCH)].map((at) => this.#newMessage(at));
      await this.#stores.messages.append(batch);
      await this.#react(batch.length);
      report(from + batch.length);
    }
    await this.#markRead();
    return this.#people.map((person) => person.name);
  }

  async #addPeople(passwordHash: string): Promise<void> {
    for (let index = 0; index < this.#wanted.people; index++) {
      const name = numbered(PEOPLE, index, '');
      const wanted = { username: name, passwordHash, isAdmin: index === 0, now: this.#start };
      const account = await this.#stores.accounts.add(wanted);
      if (typeof account !== 'string') this.#people.push({ id: account.id, name });
    }
  }

  async #addGroups(): Promise<void> {
    const { groups } = this.#stores;
    for (let index = 0; index < this.#wanted.groups; index++) {
      const name = index === 0 ? 'General' : numbered(ROOMS, index - 1, ' ');
      const group = await groups.add({ name, creatorId: null, now: this.#start });
      if (!group) continue;
      const members = this.#people.filter(
        (person) => index === 0 || person === this.#people[0] || this.#random() < 0.55,
      );
      for (const { id } of members) await groups.join(id, group.id, this.#start);
      this.#rooms.push({ id: group.id, members, last: undefined, seq: 0 });
    }
  }

  /** A few who also write to each other, most of them to the one who is signed in as first. */
  async #addDirects(): Promise<void> {
    for (let index = 1; index <= Math.min(6, this.#people.length - 1); index++) {
      const members = [this.#people[index % 3 ? 0 : index - 1], this.#people[index]].filter(
        (person) => person !== undefined,
      );
      const ids = members.map((member) => member.id);
      const { group } = await this.#stores.groups.direct(ids, ids[0] ?? 0, this.#start);
      this.#rooms.push({ id: group.id, members, last: undefined, seq: 0 });
    }
  }

  #newMessage(at: number): NewMessage {
    // Squared: a few rooms are busy and most are quiet.
    const room = this.#rooms[Math.floor(this.#random() ** 2 * this.#rooms.length)];
    const author = this.#random() < 0.35 && room?.last ? room.last : this.#oneOf(room?.members ?? []);
    if (!room || !author) throw new Error('There is nobody to say anything.');
    room.last = author;
    room.seq += 1;
    const content = somethingSaid(this.#random);
    const message = {
      groupId: room.id,
      id: newMessageId(at),
      authorId: author.id,
      content,
      createdAt: at,
    };
    if (this.#random() >= 0.03) return message;
    const called = this.#oneOf(room.members) ?? author;
    return { ...message, content: `@${called.name} ${content}`, mentions: [called.id] };
  }

  /** About one message in thirty has a reaction. */
  async #react(written: number): Promise<void> {
    const amendments = this.#rooms.flatMap((room) => {
      const count = Math.min(Math.ceil(written / 30 / this.#rooms.length), room.seq);
      return Array.from({ length: count }, (_, index) => ({ room, seq: room.seq - index * 3 }))
        .filter(({ seq }) => seq > 0)
        .map(({ seq }) => {
          const emoji = this.#oneOf(EMOJI) ?? '👍';
          const accountIds = room.members.filter(() => this.#random() < 0.2).map((member) => member.id);
          const amend = (message: Message) =>
            accountIds.length > 0 ? { ...message, reactions: [{ emoji, accountIds }] } : message;
          return { groupId: room.id, seq, amend };
        });
    });
    await this.#stores.messages.amend(amendments);
  }

  async #markRead(): Promise<void> {
    const marks = this.#rooms.flatMap((room) =>
      room.members.map(({ id }) => {
        const behind = this.#random() < 0.7 ? 0 : Math.floor(this.#random() * 30);
        return { accountId: id, groupId: room.id, seq: Math.max(0, room.seq - behind), now: this.#end };
      }),
    );
    await this.#stores.groups.markRead(marks);
  }

  #oneOf<Item>(list: readonly Item[]): Item | undefined {
    return list[Math.floor(this.#random() * list.length)];
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  try {
    const wanted = readFlags(process.argv.slice(2));
    if (wanted === undefined) process.stdout.write(USAGE);
    else {
      const names = await populate(wanted, (done) => process.stderr.write(`\r${done} messages`));
      process.stderr.write('\n');
      const others = names.slice(1, 4).join(', ');
      console.log(
        `${wanted.dataDir} holds ${names.length} people. Start it with: npm start -- --data ${wanted.dataDir}\n` +
          `Sign in as ${names[0]}, the administrator${others ? `, or as ${others}` : ''}, with the password: ${wanted.password}`,
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
  const command = readCommand(['--data', values.data], process.env, version());
  if (command.kind !== 'start') throw new StartError(command.text);
  return {
    dataDir: values.data,
    encryptionKey: command.config.encryptionKey,
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
  const databases = await openDatabases(dataDir);
  const passwords = createPasswords(BCRYPT_COST);
  try {
    const keyring = loadKeyring(wanted.encryptionKey, dataDir, true);
    for (const database of [databases.users, databases.chat]) await checkKeyring(database, keyring);
    const stores = await openStores(databases, keyring);
    await stores.audit.begin(Date.now());
    return await new Filler(stores, wanted).fill(await passwords.hash(wanted.password), report);
  } finally {
    await passwords.close();
    await databases.close();
    lock.release();
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
