import { z } from 'zod';
import { ARCHIVE_FORMAT } from '../exports/group-archive.ts';
import type { ImportedMessage, Outline } from './source.ts';

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

export type HearthArchive = Readonly<{ outline: Outline; messages: readonly ImportedMessage[] }>;

/** Whether a text is what `exports/group-archive.ts` writes. */
export function isHearthArchive(jsonl: string): boolean {
  const { type, format } = ARCHIVE_FORMAT;
  return jsonl.startsWith(`{"type":"${type}","format":"${format}"`);
}

/** Reads the messages of an archive of groups. @throws ZodError for lines that are none of it */
export function readHearth(jsonl: string, entries: ReadonlyMap<string, string>): HearthArchive {
  const groups = new Map<number, string>();
  const people = new Map<number, { username: string; name: string }>();
  const messages: ImportedMessage[] = [];
  const ids = new Map<string, string>();
  const keyed = (name: 'replyTo' | 'thread', groupId: number, seq: number | null | undefined) => {
    const key = seq ? ids.get(`${groupId}/${seq}`) : undefined;
    return key === undefined ? {} : { [name]: key };
  };
  for (const text of jsonl.split('\n')) {
    if (text === '') continue;
    const value = line.parse(JSON.parse(text));
    if (value.type === 'group') groups.set(value.id, value.name);
    else if (value.type === 'person') people.set(value.id, value);
    else if (value.type === 'message') {
      messages.push({
        ...{ key: value.id, id: value.id },
        conversation: String(value.groupId),
        author: String(value.authorId),
        at: Date.parse(value.createdAt),
        text: value.content,
        files: value.files.flatMap(({ name, path }) => {
          const entry = entries.get(path);
          return entry === undefined ? [] : [{ name, entry }];
        }),
        ...keyed('replyTo', value.groupId, value.replyTo),
        ...keyed('thread', value.groupId, value.thread),
      });
      ids.set(`${value.groupId}/${value.seq}`, value.id);
    }
  }
  const times = messages.map(({ at }) => at);
  const counts = { conversation: new Map<string, number>(), author: new Map<string, number>() };
  for (const message of messages)
    for (const key of ['conversation', 'author'] as const)
      counts[key].set(message[key], (counts[key].get(message[key]) ?? 0) + 1);
  const count = (key: 'conversation' | 'author', id: number) => counts[key].get(String(id)) ?? 0;
  return {
    messages,
    outline: {
      kind: 'hearth',
      conversations: [...groups].map(([id, name]) => ({
        key: String(id),
        name,
        messages: count('conversation', id),
      })),
      people: [...people].map(([id, { username, name }]) => ({
        ...{ key: String(id), name, messages: count('author', id) },
        ...(username && { username }),
      })),
      first: times.reduce((least, at) => Math.min(least, at), times[0] ?? 0),
      last: times.reduce((most, at) => Math.max(most, at), 0),
      notices: 0,
      isAmbiguous: false,
    },
  };
}
