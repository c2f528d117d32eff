import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

const saved = z.object({
  /** The server that was used last. */
  last: z.string().optional(),
  servers: z.record(
    z.string(),
    z.object({
      token: z.string().optional(),
      /** Of a certificate that nobody vouches for, and that was accepted (SHA-256). */
      fingerprint: z.string().optional(),
    }),
  ),
});

export type Settings = z.infer<typeof saved>;
export type ServerSettings = Settings['servers'][string];

/** Only its owner may read what is in it. */
export const FOLDER = join(process.env.XDG_CONFIG_HOME ?? join(homedir(), '.config'), 'hearth');
const FILE = join(FOLDER, 'terminal.json');

/** What the terminal client keeps between two runs; nothing where the file is not there or cannot be read. */
export function readSettings(): Settings {
  try {
    return saved.parse(JSON.parse(readFileSync(FILE, 'utf8')));
  } catch {
    return { servers: {} };
  }
}

/** Changes what is kept of a server. Only its owner may read the file: it has the token. */
export function keep(url: string, change: ServerSettings): void {
  const settings = readSettings();
  const servers = { ...settings.servers, [url]: { ...settings.servers[url], ...change } };
  mkdirSync(FOLDER, { recursive: true, mode: 0o700 });
  const file = `${FILE}.${process.pid}`;
  writeFileSync(file, JSON.stringify({ last: url, servers }, null, 2), { mode: 0o600 });
  renameSync(file, FILE);
}
