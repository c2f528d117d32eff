import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const SOUNDS = '/usr/share/asterisk/sounds';
const TEXTS = '/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz';
/** Whole sentences, and no digits: those are spoken in ways that the text does not tell. */
const FEWEST_WORDS = 5;
const MAX_WORDS = 15;
/** G.722 is 64 kbit/s. */
const BYTES_A_SECOND = 8_000;

export type Prompt = { name: string; words: string[]; bytes: Buffer };

/** The folders of Debian's packages of recorded telephone sentences, by their language. */
const FOLDERS = {
  en: 'en_US_f_Allison',
  es: 'es_MX_f_Allison',
  fr: 'fr_CA_f_June',
  it: 'it_IT_m_Carlo',
  ru: 'ru_RU_f_IvrvoiceRU',
} as const;

export type PromptLanguage = keyof typeof FOLDERS;

/** Installs what a bench needs to read recorded sentences, as root; otherwise it says what to install. */
export function installPrompts(...languages: PromptLanguage[]): void {
  const missing = languages.filter((language) => !existsSync(join(SOUNDS, FOLDERS[language])));
  const packages = [
    ...missing.map((language) => `asterisk-core-sounds-${language}-g722`),
    ...(existsSync(TEXTS) ? [] : ['asterisk-core-sounds-en']),
    ...(spawnSync('ffmpeg', ['-version']).status === 0 ? [] : ['ffmpeg']),
  ];
  if (packages.length === 0) return;
  if (process.getuid?.() !== 0)
    throw new Error(`The bench needs: sudo apt-get install ${packages.join(' ')}`);
  process.stderr.write('  Installing recorded sentences and ffmpeg with apt-get.\n');
  execFileSync('apt-get', ['update', '-qq']);
  execFileSync('apt-get', ['install', '-qq', '-y', '--no-install-recommends', ...packages]);
}

/** English sentences whose words are known. */
export function readPrompts(folder: string): Prompt[] {
  const prompts: Prompt[] = [];
  for (const line of gunzipSync(readFileSync(TEXTS)).toString().split('\n')) {
    const [, name = '', text = ''] = /^([\w/-]+): (.*)$/.exec(line) ?? [];
    const words = wordsOf(text);
    const source = join(SOUNDS, FOLDERS.en, `${name}.g722`);
    // In brackets stand sounds.
    if (/[[\]<>()\d]/.test(text) || words.length < FEWEST_WORDS || words.length > MAX_WORDS) continue;
    if (existsSync(source)) prompts.push({ name, words, bytes: asWav(source, folder) });
  }
  return prompts;
}

/** The sentences of a language that last at least so many seconds, whatever is said in them. */
export function readLong(language: PromptLanguage, seconds: number, folder: string): Buffer[] {
  const from = join(SOUNDS, FOLDERS[language]);
  return readdirSync(from, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.g722') && !name.includes('silence/'))
    .map((name) => join(from, name))
    .filter((path) => statSync(path).size >= seconds * BYTES_A_SECOND)
    .sort()
    .map((path) => asWav(path, folder));
}

function asWav(source: string, folder: string): Buffer {
  const file = join(folder, `${source.replaceAll('/', '-')}.wav`);
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', source, '-ar', '16000', '-bitexact', file]);
  return readFileSync(file);
}

export function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .replace(/[^a-z' ]+/g, ' ')
    .split(' ')
    .filter(Boolean);
}
