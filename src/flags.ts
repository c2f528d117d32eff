import { z } from 'zod';
import { choice, interval, port, type Setting, text, twoNumbers } from './setting-schemas.ts';

// The flags of the command line; `settings.ts` has the variables of the environment.

export const FLAGS = {
  host: {
    name: '--host',
    value: 'ADDRESS',
    fallback: '127.0.0.1',
    meaning: 'the address to listen on; 0.0.0.0 for the whole network',
    schema: text('--host', 'an address').default('127.0.0.1'),
  },
  /** 0 takes a free one. */
  port: {
    name: '--port',
    value: 'PORT',
    fallback: '8000, with --tls 8443',
    meaning: 'the port to listen on; 0 takes a free one',
    schema: port('--port'),
  },
  tls: {
    name: '--tls',
    fallback: 'off',
    meaning: 'serve HTTPS; makes an authority and a certificate if there is none',
    schema: z.boolean().default(false),
  },
  /** The port of plain HTTP beside TLS; undefined when it is off. */
  httpPort: {
    name: '--http-port',
    value: 'PORT',
    fallback: 'off',
    meaning: 'with --tls: also serve plain HTTP on this port',
    schema: port('--http-port'),
  },
  certFile: {
    name: '--certfile',
    value: 'FILE',
    fallback: 'tls/cert.pem',
    meaning: 'the certificate (PEM)',
    schema: text('--certfile', 'a file').default('tls/cert.pem'),
  },
  keyFile: {
    name: '--keyfile',
    value: 'FILE',
    fallback: 'tls/key.pem',
    meaning: 'its private key (PEM)',
    schema: text('--keyfile', 'a file').default('tls/key.pem'),
  },
  tlsConfigFile: {
    name: '--tls-config',
    value: 'FILE',
    fallback: 'tls_config.json',
    meaning: 'subject, lifetime and key size of the certificate',
    schema: text('--tls-config', 'a file').default('tls_config.json'),
  },
  dataDir: {
    name: '--data',
    value: 'FOLDER',
    fallback: 'data',
    meaning: 'the folder that holds everything',
    schema: text('--data', 'a folder').default('data'),
  },
  /** The folder of backups that the server takes; undefined takes none. */
  backupTo: {
    name: '--backup-to',
    value: 'FOLDER',
    fallback: 'off',
    meaning: 'back up into this folder while Hearth runs',
    schema: text('--backup-to', 'a folder').optional(),
  },
  /** Milliseconds between two backups. */
  every: {
    name: '--every',
    value: 'TIME',
    fallback: '24h',
    meaning: 'with --backup-to: how often, such as 30m, 24h or 7d',
    schema: interval('--every', '24h'),
  },
  keep: {
    name: '--keep',
    value: 'DAYS,WEEKS',
    fallback: '7,4',
    meaning: 'with --backup-to: keep the last backup of so many days and weeks, remove the others',
    schema: twoNumbers('--keep', '7,4').transform(([days, weeks]) => ({ days, weeks })),
  },
  seal: {
    name: '--seal',
    value: 'FOLDER',
    fallback: 'off',
    meaning: 'with --backup-to: seal each backup with a key of its own, and put the keys into this folder',
    schema: text('--seal', 'a folder').optional(),
  },
  /** What this process does: pages and sockets, work in the background, or both. */
  role: {
    name: '--role',
    value: 'ROLE',
    fallback: 'all',
    meaning: 'of several processes: web serves people, worker does what takes long, all does both',
    schema: choice('--role', ['all', 'web', 'worker'], 'all'),
  },
  /** Instead of Hearth itself: what HTTPS is for, shown on two servers with a tap before each. */
  lesson: {
    name: '--lesson',
    fallback: 'off',
    meaning: 'the lesson on HTTP and HTTPS, with data of its own that is thrown away',
    schema: z.boolean().default(false),
  },
  help: { name: '--help', fallback: '', meaning: 'print this and stop', schema: z.boolean().default(false) },
  version: {
    name: '--version',
    fallback: '',
    meaning: 'print the version and stop',
    schema: z.boolean().default(false),
  },
} as const satisfies Record<string, Setting>;
