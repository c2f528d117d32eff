import { Box, render, Text, useApp, useInput, useStdout } from 'ink';
import { createElement as h, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import stringWidth from 'string-width';
import { Chat } from './chat.ts';
import { runLine } from './commands.ts';
import { type Line, linesOf, plainText } from './lines.ts';
import type { Server } from './server.ts';

const SIDEBAR_COLUMNS = 22;
/** Narrower terminals show no sidebar. */
const MIN_COLUMNS_FOR_SIDEBAR = 70;
const KEYS = '/help · Tab: next group · Page Up: older · Ctrl C: leave';
const COLOURS = ['cyan', 'green', 'yellow', 'magenta', 'blue', 'red'] as const;
const hasColours = process.env.NO_COLOR === undefined || process.env.NO_COLOR === '';

/** Shows the chat until it is left. */
export async function showChat(server: Server): Promise<void> {
  const listeners = new Set<() => void>();
  let version = 0;
  const changed = () => {
    version += 1;
    for (const listener of listeners) listener();
  };
  const chat = new Chat(server, changed);
  await chat.start();
  const subscribe = (listener: () => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  const app = render(h(Screen, { chat, server, subscribe, version: () => version }), { exitOnCtrlC: true });
  await app.waitUntilExit();
  chat.close();
}

type Props = {
  chat: Chat;
  server: Server;
  subscribe(listener: () => void): () => void;
  version(): number;
};

function Screen({ chat, server, subscribe, version }: Props) {
  useSyncExternalStore(subscribe, version);
  const { exit } = useApp();
  const { columns, rows } = useSize();
  // Keys may come faster than the screen is drawn: what was typed is not read from an older drawing.
  const typed = useRef('');
  /** How many lines the view is above the newest. */
  const above = useRef(0);
  const [, draw] = useState(0);
  const setTyped = (text: string) => {
    typed.current = text;
    draw((count) => count + 1);
  };
  const setAbove = (lines: number) => {
    above.current = lines;
    draw((count) => count + 1);
  };
  const sidebar = columns >= MIN_COLUMNS_FOR_SIDEBAR ? SIDEBAR_COLUMNS : 0;
  const notices = chat.notice ? plainText(chat.notice).split('\n') : [];
  const height = Math.max(3, rows - 4 - notices.length);
  const lines = linesOf(chat.messages, columns - sidebar - 2);
  const top = Math.max(0, lines.length - height - above.current);
  const fail = (error: unknown) => chat.say(error instanceof Error ? error.message : String(error));

  function enter(text: string): void {
    setTyped('');
    setAbove(0);
    const giveBack = () => typed.current === '' && setTyped(text);
    if (text.trim()) runLine(chat, server, text.trim(), giveBack).then((goesOn) => goesOn || exit(), fail);
  }

  useInput((input, key) => {
    // What is typed fast or pasted arrives at once, with the Enter behind it.
    if (key.return) enter(typed.current);
    else if (/^[^\r\n]+[\r\n]$/.test(input)) enter(typed.current + plainText(input.trimEnd()));
    else if (key.pageUp) {
      if (top === 0) chat.loadOlder().catch(fail);
      setAbove(Math.min(above.current + height - 1, Math.max(0, lines.length - 1)));
    } else if (key.pageDown) setAbove(Math.max(0, above.current - height + 1));
    else if (key.tab) openNext(chat, key.shift ? -1 : 1).catch(fail);
    else if (key.escape) chat.say('');
    else if (key.backspace || key.delete) setTyped(withoutLast(typed.current));
    else if (key.ctrl && input === 'u') setTyped('');
    else if (key.ctrl && input === 'w') setTyped(typed.current.replace(/\S*\s*$/, ''));
    else if (!key.ctrl && !key.meta && input)
      setTyped(typed.current + plainText(input.replaceAll(/[\r\n]+/g, ' ')));
  });

  return h(
    Box,
    { flexDirection: 'column', height: rows - 1 },
    h(Header, { chat, columns }),
    h(
      Box,
      { height: height },
      sidebar > 0 && h(Sidebar, { chat, height }),
      h(
        Box,
        { flexDirection: 'column', flexGrow: 1 },
        lines.length === 0 && h(Text, { dimColor: true }, 'Nothing has been written here yet.'),
        ...lines.slice(top, top + height).map((line) => h(MessageLine, { key: line.key, line })),
      ),
    ),
    ...notices.map((notice, index) =>
      h(Text, { key: index, wrap: 'truncate', dimColor: hasColours }, notice),
    ),
    h(Text, { wrap: 'truncate', dimColor: true }, statusOf(chat, above.current)),
    h(Text, { wrap: 'truncate-start' }, `> ${typed.current}█`),
  );
}

function Header({ chat, columns }: { chat: Chat; columns: number }) {
  const name = chat.open ? plainText(chat.open.name) : 'No group';
  return h(
    Text,
    { bold: true, wrap: 'truncate' },
    `${name}${' '.repeat(Math.max(1, columns - stringWidth(name) - 1))}`,
  );
}

function Sidebar({ chat, height }: { chat: Chat; height: number }) {
  return h(
    Box,
    { flexDirection: 'column', width: SIDEBAR_COLUMNS, paddingRight: 1 },
    ...chat
      .own()
      .slice(0, height)
      .map(({ id, name, unread }) =>
        h(
          Text,
          { key: id, wrap: 'truncate', bold: unread > 0, inverse: id === chat.open?.id },
          `${unread > 0 ? `${unread} ` : ''}${plainText(name)}`,
        ),
      ),
  );
}

function MessageLine({ line: { head, text, authorId, isMuted } }: { line: Line }) {
  const colour = COLOURS[authorId % COLOURS.length] ?? 'cyan';
  return h(
    Text,
    { wrap: 'truncate' },
    head && h(Text, hasColours ? { color: colour } : { bold: true }, head),
    h(Text, { dimColor: isMuted }, text || ' '),
  );
}

function statusOf({ isConnected, outbox, open }: Chat, above: number): string {
  const parts = [
    open && !isConnected && 'Reconnecting …',
    outbox.length > 0 && `${outbox.length} waiting to be sent`,
    above > 0 && 'Older messages; Page Down goes back',
  ].filter(Boolean);
  return parts.length > 0 ? parts.join(' · ') : KEYS;
}

/** By character as it is seen: an emoji may be made of several code points. */
function withoutLast(text: string): string {
  const characters = [...new Intl.Segmenter().segment(text)];
  return characters
    .slice(0, -1)
    .map(({ segment }) => segment)
    .join('');
}

async function openNext(chat: Chat, step: number): Promise<void> {
  const own = chat.own();
  const at = own.findIndex(({ id }) => id === chat.open?.id);
  const next = own[(at + step + own.length) % own.length];
  if (next) await chat.openGroup(next.id);
}

function useSize(): { columns: number; rows: number } {
  const { stdout } = useStdout();
  const [size, setSize] = useState({ columns: stdout.columns || 80, rows: stdout.rows || 24 });
  useEffect(() => {
    const resize = () => setSize({ columns: stdout.columns || 80, rows: stdout.rows || 24 });
    stdout.on('resize', resize);
    return () => {
      stdout.off('resize', resize);
    };
  }, [stdout]);
  return size;
}
