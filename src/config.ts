import { readFileSync } from 'node:fs';
import { parseArgs, parseEnv } from 'node:util';
import type { z } from 'zod';
import { StartError } from './errors.ts';
import { FLAGS } from './flags.ts';
import type { Setting } from './setting-schemas.ts';
import { VARIABLES } from './settings.ts';

type Values<Settings extends Record<string, Setting>> = {
  [Key in keyof Settings]: z.output<Settings[Key]['schema']>;
};

/** Everything that can be set, read once. `run.ts` makes it; nothing else reads flags or the environment. */
export type Config = Readonly<
  Omit<Values<typeof FLAGS>, 'help' | 'version'> & Values<typeof VARIABLES> & { port: number }
>;

export type Command = { kind: 'start'; config: Config } | { kind: 'print'; text: string };

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Turns flags and environment into a command.
 * @param args the command line without node and the script
 * @param environment usually `process.env`; it wins over `.env` in the working folder
 * @throws StartError with one sentence for anything that is not understood
 */
export function readCommand(args: readonly string[], environment: Environment, version: string): Command {
  const given = readFlags(args);
  const { help, version: isVersion, ...flags } = read(FLAGS, ({ name }) => given[name.slice(2)]);
  if (help) return { kind: 'print', text: helpText() };
  if (isVersion) return { kind: 'print', text: version };

  const env = { ...readDotEnv(), ...environment };
  const variables = read(VARIABLES, ({ name }) => env[name] || undefined);
  const { tls, httpPort, port = tls ? 8443 : 8000 } = flags;
  if (httpPort !== undefined && !tls)
    throw new StartError('--http-port goes with --tls; use --port to choose the port of plain HTTP.');
  if (!tls && (given.certfile !== undefined || given.keyfile !== undefined))
    throw new StartError('--certfile and --keyfile go with --tls, which serves HTTPS.');
  if (given.certfile !== undefined && given.certfile === given.keyfile)
    throw new StartError('--certfile and --keyfile name the same file. Name one for each.');
  const ofBackups = ['every', 'keep', 'seal'].some((name) => given[name] !== undefined);
  if (flags.backupTo === undefined && ofBackups)
    throw new StartError('--every, --keep and --seal go with --backup-to, the folder of backups.');
  checkSpeech(variables);
  if (variables.smtpUrl !== undefined && variables.origins.length === 0)
    throw new StartError('SMTP_URL needs ORIGINS: links in mails lead to the first of them.');
  for (const { name } of [VARIABLES.redisUrl, VARIABLES.filesFolder])
    if (env[name] && variables.databaseUrl === undefined)
      throw new StartError(`${name} needs DATABASE_URL: several processes cannot share the files of SQLite.`);
  if (flags.role !== 'all' && variables.redisUrl === undefined)
    throw new StartError(`--role ${flags.role} needs REDIS_URL: by it, processes hear what is to be done.`);
  if (variables.filesBucket !== undefined && variables.filesFolder !== undefined)
    throw new StartError('Set FILES_BUCKET or FILES_FOLDER, not both: files are in one place.');
  if (variables.filesEndpoint !== undefined && variables.filesBucket === undefined)
    throw new StartError('FILES_ENDPOINT goes with FILES_BUCKET, the bucket of uploaded files.');
  return { kind: 'start', config: Object.freeze({ ...flags, port, ...variables }) };
}

/** @throws StartError with the sentence of the first setting that is not understood */
function read<Settings extends Record<string, Setting>>(
  settings: Settings,
  given: (setting: Setting) => unknown,
): Values<Settings> {
  const values = Object.entries(settings).map(([key, setting]) => {
    const parsed = setting.schema.safeParse(given(setting));
    if (parsed.success) return [key, parsed.data];
    throw new StartError(parsed.error.issues[0]?.message ?? `${setting.name} is not understood.`);
  });
  // Each key has what its own schema made.
  return Object.fromEntries(values) as Values<Settings>;
}

function checkSpeech({ speechEngine, speechBucket, sharedSecret }: Values<typeof VARIABLES>): void {
  if ((speechEngine === 'aws' || speechEngine === 'callback') && !speechBucket)
    throw new StartError(
      `SPEECH_ENGINE=${speechEngine} needs SPEECH_BUCKET, the bucket that recordings are put in.`,
    );
  if (speechEngine === 'callback' && !sharedSecret)
    throw new StartError(
      'SPEECH_ENGINE=callback needs SHARED_SECRET, which whoever brings transcripts shows.',
    );
}

function readFlags(args: readonly string[]): Readonly<Record<string, string | boolean | undefined>> {
  const options = Object.values<Setting>(FLAGS).map(({ name, value }) => {
    const short = { '--help': 'h', '--version': 'v' }[name as string];
    return [name.slice(2), { type: value ? 'string' : 'boolean', ...(short && { short }) }] as const;
  });
  try {
    return parseArgs({ args: [...args], options: Object.fromEntries(options) }).values as Record<
      string,
      string | boolean | undefined
    >;
  } catch (error) {
    // Node's own message names the flag; its advice about "--" after the first sentence would mislead here.
    const [sentence] = (error instanceof Error ? error.message : String(error)).split(/\.\s/);
    throw new StartError(`${sentence}. See --help for the flags there are.`);
  }
}

/** The names in `.env` that are none of Hearth's settings: those of others, or misspelled. */
export function unknownInDotEnv(): string[] {
  const names = new Set<string>(Object.values(VARIABLES).map(({ name }) => name));
  return Object.keys(readDotEnv()).filter((name) => !names.has(name));
}

function readDotEnv(): Environment {
  let found: Environment;
  try {
    found = { ...parseEnv(readFileSync('.env', 'utf8')) };
  } catch (error) {
    // No .env is the usual case.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new StartError('The file .env cannot be read: let the user that Hearth runs as read it.');
  }
  // A line without "=" is joined with the next one, which would then be no setting either.
  const [line] =
    Object.keys(found)
      .find((name) => /[\s:]/.test(name))
      ?.split('\n') ?? [];
  if (line !== undefined)
    throw new StartError(`The line "${line}" in .env is no setting: write NAME=value, or # before a note.`);
  return found;
}

function helpText(): string {
  const row = ({ name, value, fallback, meaning }: Setting) =>
    `  ${[name, value].filter(Boolean).join(' ').padEnd(20)} ${meaning}${fallback ? ` (${fallback})` : ''}`;
  return [
    'Hearth: a group chat that people run themselves.',
    '',
    'npm start -- [flags]',
    '',
    ...Object.values(FLAGS).map(row),
    '',
    'Environment, also read from .env:',
    '',
    ...Object.values(VARIABLES).map(row),
  ].join('\n');
}
