// npm run speech-model -- whisper-base.en     fetches a model for better or other speech, and checks what came
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { missingSentence } from '../src/engines/extras.ts';
import { findModel } from '../src/engines/speech/sherpa.ts';
import { StartError } from '../src/errors.ts';

/** Where k2-fsa publishes the models of sherpa-onnx, as release files. */
const RELEASE = 'https://github.com/k2-fsa/sherpa-onnx/releases/download/asr-models';

/** The archives as they were in November 2026: their size in megabytes, what they know, and their SHA-256. */
const MODELS: Readonly<
  Record<string, { archive: string; megabytes: number; about: string; sha256: string }>
> = {
  'whisper-tiny.en': {
    archive: 'sherpa-onnx-whisper-tiny.en.tar.bz2',
    megabytes: 118,
    about: 'English, fast',
    sha256: '2bd6cf965c8bb3e068ef9fa2191387ee63a9dfa2a4e37582a8109641c20005dd',
  },
  'whisper-base.en': {
    archive: 'sherpa-onnx-whisper-base.en.tar.bz2',
    megabytes: 209,
    about: 'English, good',
    sha256: '475bc7052ce299c007f6d5d5407ba8601f819a2867f6eecee510ed17df581542',
  },
  'whisper-small.en': {
    archive: 'sherpa-onnx-whisper-small.en.tar.bz2',
    megabytes: 636,
    about: 'English, better and slower',
    sha256: '0cdba2b8aaab69e04847f3427cc9709574112e67913a1a84b7fec3a8729faa9a',
  },
  'whisper-base': {
    archive: 'sherpa-onnx-whisper-base.tar.bz2',
    megabytes: 208,
    about: '99 languages',
    sha256: '911b2083efd7c0dca2ac3b358b75222660dc09fb716d64fbfc417ba6c99ff3de',
  },
  'whisper-small': {
    archive: 'sherpa-onnx-whisper-small.tar.bz2',
    megabytes: 639,
    about: '99 languages, better and slower',
    sha256: '486a46afbb7ba798507190ffe02fea2dd726049af212e774537efac6afb210a6',
  },
  'whisper-turbo': {
    archive: 'sherpa-onnx-whisper-turbo.tar.bz2',
    megabytes: 564,
    about: '99 languages, the best',
    sha256: 'b11acbbcd660b44a8e0df33724feb5aaa709cf65668f2823d59f656312544f22',
  },
  'moonshine-tiny-en': {
    archive: 'sherpa-onnx-moonshine-tiny-en-int8.tar.bz2',
    megabytes: 108,
    about: 'English, made for short recordings',
    sha256: 'd5fe6ec4334fef36255b2a4010412cad4c007e33103fec62fb5d17cad88086f2',
  },
};

const USAGE = `npm run speech-model -- NAME [flags]

  NAME is one of
${Object.entries(MODELS)
  .map(
    ([name, { megabytes, about }]) => `    ${name.padEnd(18)} ${String(megabytes).padStart(4)} MB  ${about}`,
  )
  .join('\n')}

  --to FOLDER     where the model goes (models/NAME)
  --from ADDRESS  another address of the archive, such as a mirror's; with --sha256 any archive of sherpa-onnx
  --sha256 HEX    what the archive of --from has to be
`;

/** The download is aborted if the server sends nothing for this long. */
const LONGEST_SILENCE_MS = 60_000;

try {
  await run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

async function run(args: string[]): Promise<void> {
  const wanted = read(args);
  if (!wanted) return console.log(USAGE);
  const { address, sha256, folder } = wanted;
  const isTaken = (await readdir(folder).catch(() => [])).length > 0;
  if (isTaken)
    throw new StartError(`${folder} holds something already; remove it, or name another folder with --to.`);
  await mkdir(dirname(folder), { recursive: true });
  // Next to the target folder, so that the final rename is atomic.
  const scratch = await mkdtemp(`${folder}.part-`);
  try {
    const archive = join(scratch, 'archive');
    await fetchTo(archive, address, sha256);
    const unpacked = join(scratch, 'unpacked');
    await mkdir(unpacked);
    const { status } = spawnSync('tar', ['-xf', archive, '-C', unpacked, '--strip-components=1'], {
      stdio: 'inherit',
    });
    if (status !== 0)
      throw new StartError(
        'tar could not unpack the archive; where it is missing: sudo apt-get install tar bzip2',
      );
    await keepSmallest(unpacked);
    findModel(unpacked, 'en');
    await rm(folder, { recursive: true, force: true });
    await rename(unpacked, folder);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  console.log(
    `The model is in ${folder}. Start Hearth with SPEECH_MODEL_DIR=${folder} in the environment or in .env.`,
  );
  const missing = missingSentence(['sherpa-onnx-node'], 'sherpa');
  if (missing) console.log(missing);
}

function read(args: string[]): { address: string; sha256: string; folder: string } | undefined {
  const { values, positionals } = parse(args);
  const [name] = positionals;
  if (values.help || (name === undefined && !values.from)) return undefined;
  const known = name === undefined ? undefined : MODELS[name];
  if (name !== undefined && !known)
    throw new StartError(`There is no model "${name}"; there are ${Object.keys(MODELS).join(', ')}.`);
  const sha256 = values.sha256?.toLowerCase() ?? known?.sha256;
  if (!sha256 || !/^[0-9a-f]{64}$/.test(sha256))
    throw new StartError('--sha256 takes the 64 hexadecimal digits that the archive has to have.');
  const address = values.from ?? `${RELEASE}/${known?.archive}`;
  return { address, sha256, folder: values.to ?? join('models', name ?? 'own') };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        to: { type: 'string' },
        from: { type: 'string' },
        sha256: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    const [sentence] = (error instanceof Error ? error.message : String(error)).split('. ');
    throw new StartError(`${sentence}. See --help.`);
  }
}

/** @throws StartError if the download fails or its SHA-256 does not match */
async function fetchTo(file: string, address: string, sha256: string): Promise<void> {
  const silence = new AbortController();
  // unref(): after another failure the process must not wait for this timer.
  let patience = setTimeout(() => silence.abort(), LONGEST_SILENCE_MS).unref();
  const response = await fetch(address, { signal: silence.signal }).catch((error: Error) => {
    throw new StartError(`${address} could not be reached: ${String(error.cause ?? error.message)}.`);
  });
  if (!response.ok || !response.body)
    throw new StartError(`${address} answered ${response.status}; nothing was fetched.`);
  const size = Number(response.headers.get('content-length'));
  const hash = createHash('sha256');
  let come = 0;
  let shown = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      clearTimeout(patience);
      patience = setTimeout(() => silence.abort(), LONGEST_SILENCE_MS).unref();
      hash.update(chunk);
      come += chunk.length;
      if (Date.now() - shown > 500) {
        shown = Date.now();
        const share = size > 0 ? `, ${Math.floor((come / size) * 100)} %` : '';
        process.stderr.write(`\r${Math.round(come / 1e6)} MB${share} `);
      }
      done(null, chunk);
    },
  });
  try {
    await pipeline(Readable.from(response.body), meter, createWriteStream(file));
  } catch (error) {
    throw new StartError(
      `The connection was lost: ${error instanceof Error ? error.message : error}. Try again.`,
    );
  } finally {
    clearTimeout(patience);
    if (shown > 0) process.stderr.write('\n');
  }
  const found = hash.digest('hex');
  if (found !== sha256)
    throw new StartError(
      `What came is not the archive that was expected (SHA-256 ${found}); nothing was kept.`,
    );
}

/** Archives have weights twice, and recordings to try them with. */
async function keepSmallest(folder: string): Promise<void> {
  const names = await readdir(folder);
  const hasSmall = names.some((name) => name.includes('int8'));
  for (const name of names) {
    const isWeights = /\.(onnx|ort|weights)$/.test(name);
    const hasSmaller =
      hasSmall && names.includes(name.replace(/\.onnx$/, '.int8.onnx')) && !name.includes('int8');
    const isNeeded =
      (isWeights && !hasSmaller) || /tokens\.txt$/.test(name) || /^(LICENSE|README)/i.test(name);
    if (!isNeeded) await rm(join(folder, name), { recursive: true });
  }
}
