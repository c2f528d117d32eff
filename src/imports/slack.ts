import { z } from 'zod';
import { fromSlack } from '../bots/slack-text.ts';
import { type ArchiveFile, damaged } from './archive-file.ts';
import { type ImportedMessage, MAX_TIME, type Outline } from './source.ts';
import { Tally } from './tally.ts';

// The form of an export: docs "How to read Slack data exports" (slack.com/help/articles/220556107).

const user = z.looseObject({
  id: z.string(),
  name: z.string().default(''),
  profile: z
    .looseObject({ real_name: z.string().optional(), display_name: z.string().optional() })
    .optional(),
});
const channel = z.looseObject({ id: z.string(), name: z.string() });
const message = z.looseObject({
  type: z.string().optional(),
  subtype: z.string().optional(),
  user: z.string().optional(),
  username: z.string().optional(),
  bot_id: z.string().optional(),
  text: z.string().nullish(),
  attachments: z
    .array(z.looseObject({ text: z.string().nullish(), fallback: z.string().nullish() }))
    .nullish(),
  ts: z.string(),
  thread_ts: z.string().optional(),
  files: z.array(z.looseObject({ name: z.string().nullish(), url_private: z.string().nullish() })).nullish(),
});

/** What is said; every other subtype is a notice such as `channel_join`. */
const SPOKEN = new Set(['bot_message', 'me_message', 'thread_broadcast', 'file_share', 'file_comment']);
const DAY = /^(.*)\/(\d{4}-\d{2}-\d{2})\.json$/;

export type SlackExport = { outline: Outline; messages(): AsyncGenerator<ImportedMessage> };

/** Reads a Slack export: channels, open and private. Direct messages are in no export that members can make. */
export async function readSlack(archive: ArchiveFile): Promise<SlackExport> {
  const users = new Map(
    z
      .array(user)
      .parse(await jsonOf(archive, 'users.json'))
      .map((one) => [one.id, one]),
  );
  const channels = new Map<string, string>();
  for (const file of ['channels.json', 'groups.json'])
    for (const { name } of z.array(channel).parse(await jsonOf(archive, file))) channels.set(name, name);
  const days = archive.names
    .flatMap((entry) => {
      const [, folder = '', day = ''] = DAY.exec(entry) ?? [];
      return channels.has(folder) ? [{ entry, folder, day }] : [];
    })
    .sort((a, b) => (a.folder === b.folder ? (a.day < b.day ? -1 : 1) : a.folder < b.folder ? -1 : 1));
  const nameOf = (id: string) => {
    const found = users.get(id);
    return found?.profile?.display_name || found?.profile?.real_name || found?.name || id;
  };
  let notices = 0;

  async function* messages(): AsyncGenerator<ImportedMessage> {
    notices = 0;
    for (const { entry, folder } of days)
      for (const said of z.array(message).parse(await jsonOf(archive, entry))) {
        const author =
          said.user ?? (said.username || said.bot_id ? `bot ${said.username ?? said.bot_id}` : undefined);
        // In seconds. What has no time is no message.
        const at = Math.round(Number(said.ts) * 1_000);
        const isTime = at >= 0 && at <= MAX_TIME;
        if (!isTime || author === undefined || (said.subtype !== undefined && !SPOKEN.has(said.subtype))) {
          notices += 1;
          continue;
        }
        const thread =
          said.thread_ts !== undefined && said.thread_ts !== said.ts ? said.thread_ts : undefined;
        yield {
          key: said.ts,
          conversation: folder,
          author,
          at,
          text: textOf(said, nameOf),
          files: [],
          ...(thread && { replyTo: thread }),
        };
      }
  }

  const tally = new Tally();
  for await (const said of messages()) tally.add(said);
  const personOf = (key: string) => {
    const found = users.get(key);
    const name = found?.profile?.real_name || found?.profile?.display_name || found?.name;
    return { name: name || key.replace(/^bot /, ''), ...(found?.name && { username: found.name }) };
  };
  return { outline: tally.outline('slack', channels, personOf, notices), messages };
}

/** The words, and the names of files: their bytes are on Slack's servers, behind a sign-in. */
function textOf(
  { text, files, attachments }: z.output<typeof message>,
  nameOf: (id: string) => string,
): string {
  const attached = (attachments ?? []).map((one) => one.text || one.fallback || '').filter(Boolean);
  const called = [text ?? '', ...attached]
    .join('\n')
    .trim()
    .replace(/<@([A-Z0-9]{1,30})(?:\|[^>]{0,100})?>/g, (_match, id: string) => `@${nameOf(id)}`);
  const names = (files ?? []).map(({ name }) => `(File: ${name ?? 'without a name'})`);
  return [fromSlack(called), ...names].filter((part) => part !== '').join('\n');
}

async function jsonOf(archive: ArchiveFile, name: string): Promise<unknown> {
  const text = archive.has(name) ? await archive.text(name) : '';
  if (text.trim() === '') return [];
  try {
    return JSON.parse(text);
  } catch (error) {
    throw damaged(name, error);
  }
}
