import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Chat } from './chat.ts';
import { plainText, textOf } from './lines.ts';
import type { Message, Person, Server } from './server.ts';

export const HELP =
  '/join NAME · /groups · /reply NUMBER TEXT · /search WORDS · /file PATH [TEXT] · /who · /quit';

const SHOWN_HITS = 8;

/**
 * Does what was typed: a command of this client, or a message, which may begin with a command of a bot.
 * @param giveBack puts it back where it was typed, where it was not understood or could not be done
 * @returns whether to go on
 */
export async function runLine(
  chat: Chat,
  server: Server,
  line: string,
  giveBack: () => void,
): Promise<boolean> {
  try {
    return await run(chat, server, line, giveBack);
  } catch (error) {
    giveBack();
    throw error;
  }
}

async function run(chat: Chat, server: Server, line: string, giveBack: () => void): Promise<boolean> {
  const [, name, rest = ''] = /^\/([\p{L}\p{N}_-]+)\s*([\s\S]*)$/u.exec(line) ?? [];
  chat.say('');
  const command = name && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (name === 'quit') return false;
  if (command) await command(chat, server, rest.trim());
  else if (line.startsWith('//')) chat.send(line.slice(1));
  else if (!line.startsWith('/') || (await isOfBot(chat, server, name ?? ''))) chat.send(line);
  else {
    giveBack();
    chat.say(`There is no /${name ?? ''}. To send it as it is, begin with //. ${HELP}`);
  }
  return true;
}

/** Whether a bot of the open group takes this command. @param name without its slash */
async function isOfBot(chat: Chat, server: Server, name: string): Promise<boolean> {
  if (!chat.open) return false;
  const { items } = await server.get<{ items: { command: string }[] }>(`/groups/${chat.open.id}/commands`);
  return items.some(({ command }) => command === name.toLowerCase());
}

const COMMANDS: Readonly<Record<string, (chat: Chat, server: Server, rest: string) => Promise<void> | void>> =
  {
    help: (chat) => chat.say(HELP),
    async groups(chat) {
      await chat.loadGroups();
      chat.say(chat.groups.map(({ name, isMember }) => (isMember ? name : `${name} (to join)`)).join(', '));
    },

    async join(chat, server, name) {
      await chat.loadGroups();
      const wanted = name.replace(/^#/, '').toLowerCase();
      const group = chat.groups.find((group) => group.name.toLowerCase() === wanted);
      if (!group) return chat.say(`There is no group “${name}”. /groups lists them.`);
      if (!group.isMember) {
        await server.post(`/groups/${group.id}/join`);
        await chat.loadGroups();
      }
      await chat.openGroup(group.id);
    },

    reply(chat, _server, rest) {
      const [, number, text] = /^#?(\d+)\s+([\s\S]+)$/.exec(rest) ?? [];
      if (!number || !text)
        return chat.say('Write /reply NUMBER TEXT; the number stands before each message.');
      chat.send(text, { replyTo: Number(number) });
    },

    async search(chat, server, words) {
      if (!words) return chat.say('Write /search WORDS.');
      const found = await server.get<{ items: Message[]; total: number }>(
        `/search?q=${encodeURIComponent(words)}`,
      );
      const names = new Map(chat.groups.map(({ id, name }) => [id, name]));
      const lines = found.items
        .slice(0, SHOWN_HITS)
        .map((hit) => `${names.get(hit.groupId) ?? ''} #${hit.seq} ${hit.author.name}: ${textOf(hit)}`);
      chat.say([`${found.total} found`, ...lines].map(plainText).join('\n'));
    },

    async file(chat, server, rest) {
      const [, quoted, bare = '', text = ''] = /^(?:"([^"]+)"|(\S+))\s*([\s\S]*)$/.exec(rest) ?? [];
      const path = resolve(quoted ?? bare);
      if (!chat.open || !statSync(path, { throwIfNoEntry: false })?.isFile())
        return chat.say(`There is no file ${path}.`);
      chat.say(`Sending ${path} …`);
      const id = await server.upload(chat.open.id, path);
      chat.send(text, { files: [id] });
      chat.say('');
    },

    async who(chat, server) {
      if (!chat.open) return;
      const { items } = await server.get<{ items: Person[] }>(`/groups/${chat.open.id}/presence`);
      chat.say(`Here now: ${items.map(({ name }) => plainText(name)).join(', ') || 'nobody'}`);
    },
  };
