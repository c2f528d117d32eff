import { z } from 'zod';
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

/** Whether a text that begins so is what `exports/group-archive.ts` writes. */
export function isHearthArchive(beginning: string): boolean {
  const { type, format } = ARCHIVE_FORMAT;
  return beginning.startsWith(`{"type":"${type}","format":"${format}"`);
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

  const outline = tally.outline('hearth', groups, () => ({ name: '' }));
  return {
    messages,
    // Also those who wrote nothing.
    outline: {
      ...outline,
      people: [...people].map(([id, { username, name }]) => ({
        ...{ key: String(id), name, messages: tally.people.get(String(id)) ?? 0 },
        ...(username && { username }),
      })),
    },
  };
}

async function* valuesOf(lines: AsyncIterable<string>) {
  for await (const text of lines) if (text !== '') yield line.parse(JSON.parse(text));
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
    files: value.files.flatMap(({ name, path }) => {
      const entry = entries.get(path);
      return entry === undefined ? [] : [{ name, entry }];
    }),
    ...keyed('replyTo'),
    ...keyed('thread'),
  };
}
