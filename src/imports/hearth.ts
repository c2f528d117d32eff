import { z } from 'zod';
import { GONE_NAME } from '../accounts/account.ts';
import { ARCHIVE_FORMAT } from '../exports/group-archive.ts';
import type { ImportedMessage, Outline } from './source.ts';
import { Tally } from './tally.ts';

const line = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('archive') }),
  z.looseObject({ type: z.literal('group'), id: z.int(), name: z.string() }),
  z.looseObject({ type: z.literal('person'), id: z.int(), username: z.string(), name: z.string() }),
  z.looseObject({
    type: z.literal('message'),
    groupId: z.int(),
    seq: z.int(),
    id: z.string(),
    authorId: z.int(),
    content: z.string(),
    createdAt: z.iso.datetime(),
    replyTo: z.int().nullish(),
    thread: z.int().nullish(),
    files: z.array(z.looseObject({ name: z.string(), path: z.string() })).default([]),
  }),
]);

export type HearthArchive = Readonly<{ outline: Outline; messages(): AsyncGenerator<ImportedMessage> }>;

const { type, format } = ARCHIVE_FORMAT;
const FIRST_LINE = new RegExp(`^\\s*\\{\\s*"type"\\s*:\\s*"${type}"\\s*,\\s*"format"\\s*:\\s*"${format}"`);

/** Whether a text that begins so is what `exports/group-archive.ts` writes. */
export function isHearthArchive(beginning: string): boolean {
  return FIRST_LINE.test(beginning);
}

/**
 * Reads an archive of groups, line by line, each time that its messages are asked for.
 * @param lines reads it from its beginning
 * @throws ZodError for lines that are none of it
 */
export async function readHearth(
  lines: () => AsyncIterable<string>,
  entries: ReadonlyMap<string, string>,
): Promise<HearthArchive> {
  const groups = new Map<string, string>();
  const people = new Map<number, { username: string; name: string }>();
  const tally = new Tally();
  for await (const value of valuesOf(lines())) {
    if (value.type === 'group') groups.set(String(value.id), value.name);
    else if (value.type === 'person') people.set(value.id, value);
    else if (value.type === 'message') tally.add(messageOf(value, entries, new Map()));
  }

  async function* messages() {
    const ids = new Map<string, string>();
    for await (const value of valuesOf(lines())) {
      if (value.type !== 'message') continue;
      yield messageOf(value, entries, ids);
      ids.set(`${value.groupId}/${value.seq}`, value.id);
    }
  }

  // Also those who wrote nothing.
  for (const id of people.keys()) tally.people.set(String(id), tally.people.get(String(id)) ?? 0);
  const personOf = (key: string) => {
    const { username = '', name = GONE_NAME } = people.get(Number(key)) ?? {};
    return { name, ...(username && { username }) };
  };
  return { messages, outline: tally.outline('hearth', groups, personOf) };
}

async function* valuesOf(lines: AsyncIterable<string>) {
  for await (const text of lines) if (text.trim() !== '') yield line.parse(JSON.parse(text));
}

/** @param ids those of the messages before it, by group and number */
function messageOf(
  value: Extract<z.output<typeof line>, { type: 'message' }>,
  entries: ReadonlyMap<string, string>,
  ids: ReadonlyMap<string, string>,
): ImportedMessage {
  const keyed = (name: 'replyTo' | 'thread') => {
    const seq = value[name];
    const key = seq ? ids.get(`${value.groupId}/${seq}`) : undefined;
    return key === undefined ? {} : { [name]: key };
  };
  return {
    ...{ key: value.id, id: value.id },
    conversation: String(value.groupId),
    author: String(value.authorId),
    at: Date.parse(value.createdAt),
    text: value.content,
    files: value.files.map(({ name, path }) => ({ name, entry: entries.get(path) })),
    ...keyed('replyTo'),
    ...keyed('thread'),
  };
}
