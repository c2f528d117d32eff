import { z } from 'zod';
import { type ImportedFile, type ImportedMessage, MAX_TIME, type Outline } from './source.ts';
import { Tally } from './tally.ts';

// The form of a bulk export: docs.mattermost.com, "Bulk loading data", data format version 1.

const attachments = z.array(z.looseObject({ path: z.string() })).nullish();
const said = z.looseObject({
  user: z.string(),
  message: z.string().default(''),
  create_at: z.int().min(0).max(MAX_TIME),
  attachments,
});
const line = z.looseObject({
  type: z.string(),
  channel: z
    .looseObject({ team: z.string().default(''), name: z.string(), display_name: z.string().nullish() })
    .optional(),
  user: z
    .looseObject({
      username: z.string(),
      first_name: z.string().nullish(),
      last_name: z.string().nullish(),
      nickname: z.string().nullish(),
    })
    .optional(),
  post: said
    .extend({
      team: z.string().default(''),
      channel: z.string(),
      type: z.string().nullish(),
      replies: z.array(said).nullish(),
    })
    .optional(),
});

export type MattermostExport = Readonly<{ outline: Outline; messages(): readonly ImportedMessage[] }>;

/**
 * Reads the lines of a bulk export: channels with posts, replies and files. Direct messages are left out.
 * @param files the files of the archive by the end of their path
 * @returns undefined for a text that is no such export
 */
export async function readMattermost(
  lines: AsyncIterable<string>,
  files: ReadonlyMap<string, string>,
): Promise<MattermostExport | undefined> {
  const channels = new Map<string, string>();
  const names = new Map<string, string>();
  const messages: ImportedMessage[] = [];
  let notices = 0;
  for await (const text of lines) {
    if (text.trim() === '') continue;
    const parsed = line.safeParse(parse(text));
    if (!parsed.success) return undefined;
    const { channel, user, post, type } = parsed.data;
    if (channel)
      channels.set(conversationOf(channel.team, channel.name), channel.display_name || channel.name);
    if (user) names.set(user.username, fullName(user));
    if (type === 'direct_post' || (post?.type ?? '').startsWith('system_')) notices += 1;
    else if (post) messages.push(...messagesOf(post, files));
  }
  if (channels.size === 0) return undefined;
  messages.sort((a, b) => a.at - b.at);
  const tally = new Tally();
  for (const message of messages) tally.add(message);
  const personOf = (key: string) => ({ name: names.get(key) ?? key, username: key });
  return { messages: () => messages, outline: tally.outline('mattermost', channels, personOf, notices) };
}

/** Each team has a "town-square" of its own. */
function conversationOf(team: string, channel: string): string {
  return `${team}/${channel}`;
}

type Post = NonNullable<z.output<typeof line>['post']>;

function messagesOf(post: Post, files: ReadonlyMap<string, string>): ImportedMessage[] {
  const conversation = conversationOf(post.team, post.channel);
  const first = messageOf(post, conversation, files);
  const replies = (post.replies ?? []).map((reply) => ({
    ...messageOf(reply, conversation, files),
    replyTo: first.key,
  }));
  return [first, ...replies];
}

function messageOf(
  { user, message, create_at, attachments }: z.output<typeof said>,
  conversation: string,
  files: ReadonlyMap<string, string>,
): ImportedMessage {
  const found = (attachments ?? []).map(
    ({ path }): ImportedFile => ({
      name: path.split('/').at(-1) ?? path,
      entry: files.get(path) ?? files.get(`data/${path}`),
    }),
  );
  return {
    key: `${create_at} ${user} ${message}`,
    conversation,
    author: user,
    at: create_at,
    text: message,
    files: found,
  };
}

function fullName(user: NonNullable<z.output<typeof line>['user']>): string {
  return user.nickname || [user.first_name, user.last_name].filter(Boolean).join(' ') || user.username;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
