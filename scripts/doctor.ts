// npm run doctor [-- flags of npm start]     whether everything that Hearth needs is there, a line each; changes nothing
import { X509Certificate } from 'node:crypto';
import { accessSync, constants, existsSync, readdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import nodemailer from 'nodemailer';
import { type Config, readCommand, unknownInDotEnv } from '../src/config.ts';
import { loadKeyring } from '../src/crypto/keys.ts';
import { refuseUnreadable } from '../src/database/integrity.ts';
import { createAudioConverter } from '../src/engines/audio/convert.ts';
import { chooseEngine } from '../src/engines/speech/choose.ts';
import { StartError } from '../src/errors.ts';
import { openBlobs } from '../src/files/open-blobs.ts';
import { isOurs } from '../src/tls/certificate.ts';
import { version } from '../src/version.ts';
import { postgres, redis, sqlite } from './doctor/databases.ts';
import { bad, type Finding, messageOf, note, ok } from './doctor/finding.ts';

/** Less room than this is worth a word; uploads stop at 200 MB. */
const LOW_BYTES = 1_000_000_000;
const CERTIFICATE_DAYS = 14;
const WAIT_MS = 5_000;

const findings: Finding[] = [nodeVersion()];
const config = settings();
const unreadable = config && unreadableFolder(config);
if (unreadable) findings.push(unreadable);
else if (config) {
  findings.push(...folder(config), ...files(config), ...keys(config));
  findings.push(...(config.databaseUrl ? await postgres(config.databaseUrl, config) : sqlite(config)));
  if (config.redisUrl) findings.push(await redis(config.redisUrl));
  if (config.filesBucket) findings.push(await bucket(config));
  findings.push(...certificate(config), ...(await mail(config)), ...voice(config));
}
for (const { state, text } of findings) console.log(`${state.padEnd(4)} ${text}`);
const count = findings.filter(({ state }) => state === 'BAD').length;
console.log(
  count === 0 ? 'Hearth has what it needs.' : `${count} of ${findings.length} need your attention.`,
);
process.exitCode = count === 0 ? 0 : 1;

function nodeVersion(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const text = `Node ${process.version}, Hearth ${version()}`;
  return major > 20 || (major === 20 && minor >= 20)
    ? ok(text)
    : bad(`${text}: install Node 20.20 or later.`);
}

function settings(): Config | undefined {
  try {
    const command = readCommand(process.argv.slice(2), process.env, version());
    if (command.kind === 'start') {
      const others = unknownInDotEnv();
      if (others.length > 0)
        findings.push(note(`Hearth has no settings with these names of .env: ${others.join(', ')}`));
      return command.config;
    }
    findings.push(note(command.text));
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    findings.push(bad(error.message));
  }
  return undefined;
}

/** Where nothing in the folder can be seen, nothing else can be said of it. */
function unreadableFolder({ dataDir }: Config): Finding | undefined {
  try {
    refuseUnreadable(dataDir);
  } catch (error) {
    if (error instanceof StartError) return bad(error.message);
    throw error;
  }
  return undefined;
}

function folder({ dataDir }: Config): Finding[] {
  if (!existsSync(dataDir))
    return [note(`The data folder ${dataDir} is not there yet: the first start makes it.`)];
  return [
    isWritable(dataDir)
      ? ok(`The data folder ${dataDir} can be written`)
      : bad(`The data folder ${dataDir} cannot be written by this user: change its owner.`),
    ...ownedByOthers(dataDir),
    isPrivate(dataDir)
      ? ok('Nobody else can read the data folder')
      : bad(`Other users of this machine can read ${dataDir}: chmod 700 ${dataDir}`),
    room(dataDir),
  ];
}

/** What of the data folder this user cannot write, such as after a command that was run as root. */
function ownedByOthers(dataDir: string): Finding[] {
  const media = join(dataDir, 'media');
  const paths = [
    ...namesIn(dataDir).filter((name) => /\.sqlite3(?:-wal|-shm)?$/.test(name) || name === 'media'),
    ...namesIn(media).map((name) => join('media', name)),
  ];
  const others = paths.filter((path) => !isWritable(join(dataDir, path)));
  if (others.length === 0) return [];
  return [
    bad(`This user cannot write what is in ${dataDir}, such as ${others[0]}: change its owner with chown.`),
  ];
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function files({ filesFolder, filesBucket, redisUrl }: Config): Finding[] {
  if (filesFolder === undefined && filesBucket === undefined && redisUrl !== undefined)
    return [
      bad('FILES_FOLDER or FILES_BUCKET is not set: other processes do not have the files of this one.'),
    ];
  if (filesFolder === undefined) return [];
  if (!existsSync(filesFolder) || !isWritable(filesFolder))
    return [
      bad(`FILES_FOLDER ${filesFolder} is not there or cannot be written: mount it, or change its owner.`),
    ];
  return [ok(`FILES_FOLDER ${filesFolder} can be written`), room(filesFolder)];
}

function room(path: string): Finding {
  const { bavail, bsize } = statfsSync(path);
  const free = bavail * bsize;
  const text = `${Math.round(free / 1e8) / 10} GB free at ${path}`;
  return free > LOW_BYTES ? ok(text) : bad(`${text}: make room; uploads stop at 0.2 GB.`);
}

function keys({ dataDir, encryptionKey }: Config): Finding[] {
  const folder = join(dataDir, 'keys');
  if (encryptionKey === undefined && !existsSync(folder))
    return [note('There is no key yet: the first start makes one.')];
  try {
    const { all } = loadKeyring(encryptionKey, dataDir, false);
    const where = encryptionKey === undefined ? folder : 'ENCRYPTION_KEY';
    const open =
      encryptionKey !== undefined ? [] : readdirSync(folder).filter((name) => !isPrivate(join(folder, name)));
    return [
      ok(`${all.length} key${all.length === 1 ? '' : 's'} in ${where}`),
      ...open.map((name) => bad(`Other users can read the key ${name}: chmod 600 ${join(folder, name)}`)),
    ];
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    return [bad(error.message)];
  }
}

function certificate({ tls, certFile }: Config): Finding[] {
  if (!tls) return [];
  if (!existsSync(certFile)) return [note(`There is no certificate yet: the first start makes ${certFile}.`)];
  const ends = endOf(certFile);
  if (ends === undefined)
    return [bad(`The certificate ${certFile} cannot be read: put another in its place.`)];
  const days = Math.floor((ends - Date.now()) / 86_400_000);
  if (isOurs(readFileSync(certFile, 'utf8')))
    return [ok(`The certificate is valid for ${days} days; Hearth makes the next one`)];
  return [
    days > CERTIFICATE_DAYS
      ? ok(`The certificate is valid for ${days} days`)
      : bad(`The certificate ${certFile} ends in ${days} days: renew it.`),
  ];
}

/** In milliseconds; undefined for a file that is no certificate, or cannot be read. */
function endOf(certFile: string): number | undefined {
  try {
    return new Date(new X509Certificate(readFileSync(certFile)).validTo).getTime();
  } catch {
    return undefined;
  }
}

async function mail({ smtpUrl }: Config): Promise<Finding[]> {
  if (smtpUrl === undefined) return [];
  const transport = nodemailer.createTransport(smtpUrl, { connectionTimeout: WAIT_MS } as object);
  try {
    await transport.verify();
    return [ok('The mail server takes mails')];
  } catch (error) {
    return [bad(`The mail server does not take mails: ${messageOf(error)}. Check SMTP_URL.`)];
  } finally {
    transport.close();
  }
}

function voice({ speechEngine, speechModelDir, speechBucket, speechLanguage }: Config): Finding[] {
  const { missing } = createAudioConverter(() => {});
  if (missing)
    return [note(`No voice messages can be taken: the optional package ${missing} is not installed.`)];
  if (speechModelDir !== undefined && !existsSync(speechModelDir))
    return [bad(`SPEECH_MODEL_DIR names ${speechModelDir}, which is not there: npm run speech-model.`)];
  const chosen = chooseEngine({
    engine: speechEngine,
    modelDir: speechModelDir,
    bucket: speechBucket,
    language: speechLanguage,
  } as Parameters<typeof chooseEngine>[0]);
  return [
    chosen.engine
      ? ok(`Voice messages become text (${chosen.engine.name})`)
      : note(`Voice messages stay without text: ${chosen.missing}`),
  ];
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | (statSync(path).isDirectory() ? constants.X_OK : 0));
    return true;
  } catch {
    return false;
  }
}

/** Whether nobody but its owner can read it. */
function isPrivate(path: string): boolean {
  return (statSync(path).mode & 0o077) === 0;
}

async function bucket(config: Config): Promise<Finding> {
  try {
    (await openBlobs(config)).close();
    return ok(`The bucket ${config.filesBucket} answers`);
  } catch (error) {
    return bad(messageOf(error));
  }
}
