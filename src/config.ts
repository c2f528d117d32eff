import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { parseArgs, parseEnv } from 'node:util';
import { StartError } from './errors.ts';

const ENGINES = ['auto', 'vosk', 'sherpa', 'aws', 'callback', 'off'] as const;

export type ShowAddresses = 'everyone' | 'admins' | 'nobody';

/** Everything that can be set, read once. `run.ts` makes it; nothing else reads flags or the environment. */
export type Config = Readonly<{
  host: string;
  /** 0 takes a free port. */
  port: number;
  tls: boolean;
  /** The port of plain HTTP beside TLS; undefined when it is off. */
  httpPort: number | undefined;
  certFile: string;
  keyFile: string;
  tlsConfigFile: string;
  dataDir: string;
  assetVersion: string | undefined;
  sessionSecret: string | undefined;
  /** One or more keys, comma-separated; the first seals, all of them open. */
  encryptionKey: string | undefined;
  adminUsername: string | undefined;
  /** Whose forwarding headers are believed: addresses, CIDR ranges, or names such as `loopback`. */
  trustedProxies: readonly string[];
  /** Where people open Hearth beside this machine's own names, such as `https://chat.example`. */
  origins: readonly string[];
  logLevel: LogLevel;
  /** False lifts the rates, never the sizes. */
  rateLimits: boolean;
  showAddresses: ShowAddresses;
  /** How long a message can be edited or removed by its author, in milliseconds; undefined is for ever. */
  editLimitMs: number | undefined;
  /** Hosts, with their ports, that take push messages beside those of the browsers' vendors. */
  pushServices: readonly string[];
  /** Where those who run push services reach whoever runs this Hearth: `mailto:` or `https:`. */
  pushContact: string;
  /** False keeps no search index. */
  searchIndex: boolean;
  /** How much one file, the files of one person, and all files may take, in bytes; undefined is without limit. */
  fileLimits: Readonly<{ file: number; person: number | undefined; disk: number | undefined }>;
  /** What makes text of voice messages; `engines/speech/engine.ts` says what each of these is. */
  speech: Readonly<{
    engine: (typeof ENGINES)[number];
    modelDir: string | undefined;
    bucket: string | undefined;
    language: string;
  }>;
  /** What a function elsewhere shows when it brings a transcript. */
  sharedSecret: string | undefined;
}>;

/** How often a server that npm started looks whether npm is still there. */
const PARENT_CHECK_MS = 500;

/**
 * Whoever ends `npm start` by its PID means Hearth, but between npm and Hearth stands a shell that passes no signal on and
 * goes on by itself.
 * @param environment in which npm says that it has started this process
 */
export function whenNpmEnds(
  environment: Readonly<Record<string, string | undefined>>,
  end: () => void,
): void {
  if (environment.npm_lifecycle_event !== 'start') return;
  const shell = process.ppid;
  const npm = parentOf(shell);
  const timer = setInterval(() => {
    if (process.ppid === shell && (npm === undefined || isRunning(npm))) return;
    clearInterval(timer);
    end();
  }, PARENT_CHECK_MS);
  timer.unref();
}

/** Undefined where this system does not say. */
function parentOf(pid: number): number | undefined {
  const { stdout } = spawnSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' });
  const parent = Number.parseInt(stdout ?? '', 10);
  return parent > 1 ? parent : undefined;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export type Command = { kind: 'start'; config: Config } | { kind: 'print'; text: string };

type Setting = { name: string; value?: string; fallback: string; meaning: string };

const FLAGS: readonly Setting[] = [
  {
    name: '--host',
    value: 'ADDRESS',
    fallback: '127.0.0.1',
    meaning: 'the address to listen on; 0.0.0.0 for the whole network',
  },
  {
    name: '--port',
    value: 'PORT',
    fallback: '8000, with --tls 8443',
    meaning: 'the port to listen on; 0 takes a free one',
  },
  {
    name: '--tls',
    fallback: 'off',
    meaning: 'serve HTTPS; makes a self-signed certificate if there is none',
  },
  {
    name: '--http-port',
    value: 'PORT',
    fallback: 'off',
    meaning: 'with --tls: also serve plain HTTP on this port',
  },
  { name: '--certfile', value: 'FILE', fallback: 'tls/cert.pem', meaning: 'the certificate (PEM)' },
  { name: '--keyfile', value: 'FILE', fallback: 'tls/key.pem', meaning: 'its private key (PEM)' },
  {
    name: '--tls-config',
    value: 'FILE',
    fallback: 'tls_config.json',
    meaning: 'subject, lifetime and key size of the self-signed certificate',
  },
  { name: '--data', value: 'FOLDER', fallback: 'data', meaning: 'the folder that holds everything' },
  { name: '--help', fallback: '', meaning: 'print this and stop' },
  { name: '--version', fallback: '', meaning: 'print the version and stop' },
];

const VARIABLES: readonly Setting[] = [
  {
    name: 'ASSET_VERSION',
    fallback: 'a hash of the static files',
    meaning: 'pins the version in the addresses of static files',
  },
  {
    name: 'SESSION_SECRET',
    fallback: 'made at first start',
    meaning: 'signs session cookies; at least 16 characters',
  },
  {
    name: 'ENCRYPTION_KEY',
    fallback: 'made in data/keys',
    meaning:
      '32 bytes as 64 hex digits or base64; a comma-separated list opens with all, seals with the first',
  },
  { name: 'ADMIN_USERNAME', fallback: 'the first account', meaning: 'the account that is an administrator' },
  {
    name: 'ORIGINS',
    fallback: 'none',
    meaning:
      'where people open Hearth beside this machine’s own names, such as https://chat.example, comma-separated',
  },
  {
    name: 'TRUSTED_PROXIES',
    fallback: 'none',
    meaning:
      'whose X-Forwarded-For, -Proto and -Host are believed: addresses, CIDR ranges, loopback; comma-separated',
  },
  { name: 'LOG_LEVEL', fallback: 'info', meaning: 'fatal, error, warn, info, debug, trace or silent' },
  { name: 'RATE_LIMITS', fallback: 'on', meaning: 'off lifts the rates, never the sizes' },
  {
    name: 'SHOW_ADDRESSES',
    fallback: 'everyone',
    meaning: 'who sees the addresses of active people: everyone, admins or nobody',
  },
  {
    name: 'EDIT_LIMIT_MINUTES',
    fallback: 'none',
    meaning: 'how long people can edit and remove what they wrote, in minutes',
  },
  { name: 'SEARCH_INDEX', fallback: 'on', meaning: 'off keeps no index, so that nothing is found' },
  {
    name: 'PUSH_CONTACT',
    fallback: 'mailto:hearth@example.org',
    meaning: 'how push services reach whoever runs this: mailto: or https:',
  },
  {
    name: 'PUSH_SERVICES',
    fallback: 'none',
    meaning: 'hosts that take push messages beside those of browser vendors, comma-separated',
  },
  { name: 'FILE_LIMIT_MB', fallback: '512', meaning: 'how large one file may be' },
  { name: 'PERSON_LIMIT_MB', fallback: 'none', meaning: 'how much the files of one person may take' },
  {
    name: 'DISK_LIMIT_MB',
    fallback: 'none',
    meaning: 'how much all files may take; 200 MB of the disk stay free',
  },
  {
    name: 'SPEECH_ENGINE',
    fallback: 'auto',
    meaning: 'what makes text of voice messages: auto, vosk, sherpa, aws, callback or off',
  },
  {
    name: 'SPEECH_MODEL_DIR',
    fallback: 'the one of the packages',
    meaning: 'the folder of a model for vosk or sherpa; npm run speech-model fetches one',
  },
  { name: 'SPEECH_LANGUAGE', fallback: 'en-US', meaning: 'what is spoken, for sherpa, aws and callback' },
  {
    name: 'SPEECH_BUCKET',
    fallback: 'none',
    meaning: 'the S3 bucket for aws and callback; region and keys as the AWS SDK reads them',
  },
  {
    name: 'SHARED_SECRET',
    fallback: 'none',
    meaning: 'with callback: what the function that transcribes shows; at least 16 characters',
  },
];

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * Turns flags and environment into a command.
 * @param args the command line without node and the script
 * @param environment usually `process.env`; it wins over `.env` in the working folder
 * @throws StartError with one sentence for anything that is not understood
 */
export function readCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  version: string,
): Command {
  const flags = readFlags(args);
  if (flags.help) return { kind: 'print', text: helpText() };
  if (flags.version) return { kind: 'print', text: version };

  const env = { ...readDotEnv(), ...environment };
  const tls = flags.tls ?? false;
  if (flags['http-port'] !== undefined && !tls) {
    throw new StartError('--http-port goes with --tls; use --port to choose the port of plain HTTP.');
  }
  return {
    kind: 'start',
    config: Object.freeze({
      host: flags.host ?? '127.0.0.1',
      port: flags.port === undefined ? (tls ? 8443 : 8000) : portNumber('--port', flags.port),
      tls,
      httpPort: flags['http-port'] === undefined ? undefined : portNumber('--http-port', flags['http-port']),
      certFile: flags.certfile ?? 'tls/cert.pem',
      keyFile: flags.keyfile ?? 'tls/key.pem',
      tlsConfigFile: flags['tls-config'] ?? 'tls_config.json',
      dataDir: flags.data ?? 'data',
      assetVersion: pattern(
        'ASSET_VERSION',
        env.ASSET_VERSION,
        /^[\w.-]{1,64}$/,
        '1 to 64 letters, digits, ".", "_" or "-"',
      ),
      sessionSecret: pattern('SESSION_SECRET', env.SESSION_SECRET, /^.{16,}$/s, 'at least 16 characters'),
      encryptionKey: env.ENCRYPTION_KEY || undefined,
      adminUsername: env.ADMIN_USERNAME || undefined,
      trustedProxies: list(
        'TRUSTED_PROXIES',
        env.TRUSTED_PROXIES,
        isProxy,
        'addresses, CIDR ranges or loopback',
      ),
      origins: list('ORIGINS', env.ORIGINS, isOrigin, 'origins such as https://chat.example'),
      logLevel: oneOf('LOG_LEVEL', env.LOG_LEVEL, LOG_LEVELS, 'info'),
      rateLimits: oneOf('RATE_LIMITS', env.RATE_LIMITS, ['on', 'off'], 'on') === 'on',
      showAddresses: oneOf(
        'SHOW_ADDRESSES',
        env.SHOW_ADDRESSES,
        ['everyone', 'admins', 'nobody'],
        'everyone',
      ),
      editLimitMs: whole('EDIT_LIMIT_MINUTES', env.EDIT_LIMIT_MINUTES, 'minutes', 60_000),
      pushContact:
        pattern(
          'PUSH_CONTACT',
          env.PUSH_CONTACT,
          /^(mailto:\S+@\S+|https:\/\/\S+)$/,
          'mailto:you@your.domain or https://…',
        ) ?? 'mailto:hearth@example.org',
      pushServices: Object.freeze((env.PUSH_SERVICES ?? '').split(',').filter(Boolean)),
      searchIndex: oneOf('SEARCH_INDEX', env.SEARCH_INDEX, ['on', 'off'], 'on') === 'on',
      fileLimits: Object.freeze({
        file: megabytes('FILE_LIMIT_MB', env.FILE_LIMIT_MB) ?? 512 * MEGABYTE,
        person: megabytes('PERSON_LIMIT_MB', env.PERSON_LIMIT_MB),
        disk: megabytes('DISK_LIMIT_MB', env.DISK_LIMIT_MB),
      }),
      speech: readSpeech(env),
      sharedSecret: pattern('SHARED_SECRET', env.SHARED_SECRET, /^.{16,}$/s, 'at least 16 characters'),
    }),
  };
}

function readSpeech(env: Readonly<Record<string, string | undefined>>): Config['speech'] {
  const engine = oneOf('SPEECH_ENGINE', env.SPEECH_ENGINE, ENGINES, 'auto');
  const bucket = pattern(
    'SPEECH_BUCKET',
    env.SPEECH_BUCKET,
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
    'the name of a bucket',
  );
  if ((engine === 'aws' || engine === 'callback') && !bucket)
    throw new StartError(
      `SPEECH_ENGINE=${engine} needs SPEECH_BUCKET, the bucket that recordings are put in.`,
    );
  if (engine === 'callback' && !env.SHARED_SECRET)
    throw new StartError(
      'SPEECH_ENGINE=callback needs SHARED_SECRET, which whoever brings transcripts shows.',
    );
  const language =
    pattern('SPEECH_LANGUAGE', env.SPEECH_LANGUAGE, /^[a-z]{2,3}(-\w+)*$/, 'a language such as en-US') ??
    'en-US';
  return Object.freeze({ engine, modelDir: env.SPEECH_MODEL_DIR || undefined, bucket, language });
}

function readFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        host: { type: 'string' },
        port: { type: 'string' },
        tls: { type: 'boolean' },
        'http-port': { type: 'string' },
        certfile: { type: 'string' },
        keyfile: { type: 'string' },
        'tls-config': { type: 'string' },
        data: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
      },
    }).values;
  } catch (error) {
    // Node's own message names the flag; its advice about "--" after the first sentence would mislead here.
    const [sentence] = (error instanceof Error ? error.message : String(error)).split('. ');
    throw new StartError(`${sentence}. See --help for the flags there are.`);
  }
}

function readDotEnv(): Record<string, string | undefined> {
  try {
    return { ...parseEnv(readFileSync('.env', 'utf8')) };
  } catch {
    // No .env is the usual case.
    return {};
  }
}

function portNumber(flag: string, text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65535) return port;
  throw new StartError(`${flag} takes a number from 0 to 65535, not "${text}".`);
}

function pattern(name: string, value: string | undefined, wanted: RegExp, words: string): string | undefined {
  if (!value) return undefined;
  if (wanted.test(value)) return value;
  throw new StartError(`${name} takes ${words}.`);
}

/** A comma-separated list. */
function list(
  name: string,
  value: string | undefined,
  isValid: (item: string) => boolean,
  words: string,
): readonly string[] {
  const items = (value ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);
  const wrong = items.find((item) => !isValid(item));
  if (wrong !== undefined)
    throw new StartError(`${name} takes ${words}, separated by commas, not "${wrong}".`);
  return Object.freeze(items);
}

function isProxy(item: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(item)) return true;
  const [address = '', bits, ...rest] = item.split('/');
  const most = isIP(address) === 6 ? 128 : 32;
  return (
    isIP(address) !== 0 &&
    rest.length === 0 &&
    (bits === undefined || (/^\d+$/.test(bits) && Number(bits) <= most))
  );
}

function isOrigin(item: string): boolean {
  return /^https?:\/\//.test(item) && URL.canParse(item) && new URL(item).origin === item;
}

const MEGABYTE = 1024 * 1024;

function megabytes(name: string, value: string | undefined): number | undefined {
  return whole(name, value, 'megabytes', MEGABYTE);
}

function whole(name: string, value: string | undefined, unit: string, worth: number): number | undefined {
  if (!value) return undefined;
  if (/^[1-9]\d{0,7}$/.test(value)) return Number(value) * worth;
  throw new StartError(`${name} takes a whole number of ${unit} from 1, not "${value}".`);
}

function oneOf<T extends string>(
  name: string,
  value: string | undefined,
  choices: readonly T[],
  fallback: T,
): T {
  if (!value) return fallback;
  const choice = choices.find((choice) => choice === value);
  if (choice) return choice;
  throw new StartError(`${name} takes ${choices.join(', ')}, not "${value}".`);
}

function helpText(): string {
  const row = ({ name, value, fallback, meaning }: Setting) =>
    `  ${[name, value].filter(Boolean).join(' ').padEnd(20)} ${meaning}${fallback ? ` (${fallback})` : ''}`;
  return [
    'Hearth: a group chat that people run themselves.',
    '',
    'npm start -- [flags]',
    '',
    ...FLAGS.map(row),
    '',
    'Environment, also read from .env:',
    '',
    ...VARIABLES.map(row),
  ].join('\n');
}
