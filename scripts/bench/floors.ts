// What Hearth is measured against: the same task with the same libraries and nothing around it.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { WebSocketServer } from 'ws';
import { createCipher } from '../../src/crypto/cipher.ts';
import { loadKeyring } from '../../src/crypto/keys.ts';
import { BetterSqlite } from '../../src/database/driver/better-sqlite3.ts';
import { ROOT } from '../../tests/support/hearth.ts';
import { timedId } from './sockets.ts';

const floors: Record<string, (argument: string) => void> = { sockets, page, post, rows };

const [name = '', argument = ''] = process.argv.slice(2);
floors[name]?.(argument);

/** A bare ws server: what one client sends, all get; nothing is checked and nothing is stored. */
function sockets(): void {
  const http = createServer();
  const server = new WebSocketServer({ server: http, perMessageDeflate: false });
  let seq = 0;
  server.on('connection', (socket) => {
    socket.on('message', (data) => {
      const { id, content } = JSON.parse(String(data));
      seq += 1;
      const message = {
        type: 'message',
        id,
        groupId: 1,
        seq,
        change: seq,
        author: { id: 1, username: 'person0' },
        content,
        createdAt: new Date().toISOString(),
        editedAt: null,
        removed: false,
      };
      const text = JSON.stringify(message);
      for (const client of server.clients) client.send(text);
    });
  });
  listen(http);
}

/** Express serving the same compressed bytes from memory. */
function page(file: string): void {
  const bytes = readFileSync(file);
  const app = express();
  app.get('/', (_request, response) => {
    response.type('html').set('Content-Encoding', 'gzip').send(bytes);
  });
  listen(createServer(app));
}

/** Express answering 204. */
function post(): void {
  const app = express();
  app.post('/', (_request, response) => {
    response.status(204).end();
  });
  listen(createServer(app));
}

/** A bare better-sqlite3 script: the same rows, sealed and indexed, 64 to a commit; prints messages a second. */
function rows(seconds: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'hearth-floor-'));
  const sqlite = new BetterSqlite(join(folder, 'chat.sqlite3'));
  sqlite.pragma('journal_mode = WAL');
  sqlite.pragma('synchronous = FULL');
  sqlite.exec(
    readFileSync(join(ROOT, 'src/database/migrations/sqlite/chat/0001-groups-and-messages.sql'), 'utf8'),
  );
  const cipher = createCipher(
    loadKeyring(createHash('sha256').update('floor').digest('hex'), '', false),
    'messages',
  );
  const group = sqlite.prepare('INSERT INTO groups VALUES (?, ?, ?, NULL, 0, 0, 0)');
  for (let id = 1; id <= 16; id++) group.run(id, Buffer.from([id]), Buffer.from([id]));
  const advance = sqlite.prepare(
    'UPDATE groups SET last_seq = last_seq + 1, last_change = last_change + 1 WHERE id = ? RETURNING last_seq, last_change',
  );
  const insert = sqlite.prepare('INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL)');
  const commit = sqlite.transaction(() => {
    for (let index = 0; index < 64; index++) {
      const groupId = 1 + (index % 16);
      const id = timedId();
      const body = cipher.seal(
        `messages/${groupId}/${id}`,
        'The seed order arrived: tomatoes, leeks, and sunflowers.',
      );
      const head = advance.get(groupId) as { last_seq: number; last_change: number };
      insert.run(groupId, head.last_seq, id, head.last_change, 1, body, Date.now());
    }
  });
  const started = performance.now();
  let written = 0;
  while (performance.now() - started < Number(seconds) * 1_000) {
    commit();
    written += 64;
  }
  console.log(Math.round((written / (performance.now() - started)) * 1_000));
  sqlite.close();
  rmSync(folder, { recursive: true });
}

function listen(server: ReturnType<typeof createServer>): void {
  // A server that listens on a port has an address object.
  server.listen(0, '127.0.0.1', () =>
    console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
  );
}
