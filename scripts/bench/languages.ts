import { createAudioConverter } from '../../src/engines/audio/convert.ts';
import { chooseEngine } from '../../src/engines/speech/choose.ts';
import type { Certainty } from '../../src/engines/speech/engine.ts';
import { temporaryFolder } from '../../tests/support/hearth.ts';
import type { Cleanup } from './processes.ts';
import { installPrompts, type PromptLanguage, readLong, readPrompts } from './prompts.ts';
import { type Finding, finding } from './report.ts';

const OTHERS: readonly PromptLanguage[] = ['es', 'fr', 'it', 'ru'];
/** Shorter ones are single words, which no threshold tells apart. */
const SHORTEST_SECONDS = 2.5;
const MAX_PER_LANGUAGE = 40;
/** With fewer words heard, nothing is refused. */
const FEW_WORDS = 4;

type Counts = Record<Certainty | 'silent', number>;

/** How many English messages are lost to the check of the language, and how many of other languages get past it. */
export async function languages(cleanup: Cleanup): Promise<Finding[]> {
  installPrompts('en', ...OTHERS);
  const folder = temporaryFolder(cleanup);
  const converter = createAudioConverter(console.error);
  cleanup.after(() => converter.close());
  const { engine } = chooseEngine({
    engine: 'vosk',
    modelDir: undefined,
    bucket: undefined,
    language: 'en-US',
  });
  if (!engine) throw new Error('The packages of Vosk are not installed.');
  cleanup.after(() => engine.close());

  async function count(recordings: readonly Buffer[], name: string): Promise<Counts> {
    const counts: Counts = { text: 0, unsure: 0, none: 0, silent: 0 };
    for (const bytes of recordings) {
      const converted = await converter.convert(bytes, 300);
      if (typeof converted === 'string') throw new Error(`A sentence is ${converted}.`);
      const result = await engine?.transcribe({ id: name, ...converted }, () => {});
      if (!result || result === 'elsewhere') throw new Error('Vosk is here.');
      if (result.words.length === 0) counts.silent += 1;
      else if (result.words.length >= FEW_WORDS) counts[result.certainty] += 1;
    }
    process.stderr.write(`  ${name}: ${JSON.stringify(counts)}\n`);
    return counts;
  }

  const english = await count(
    readPrompts(folder).map(({ bytes }) => bytes),
    'en',
  );
  const others: Counts = { text: 0, unsure: 0, none: 0, silent: 0 };
  for (const language of OTHERS) {
    const long = readLong(language, SHORTEST_SECONDS, folder);
    const step = Math.max(1, Math.floor(long.length / MAX_PER_LANGUAGE));
    const counts = await count(
      long.filter((_bytes, index) => index % step === 0).slice(0, MAX_PER_LANGUAGE),
      language,
    );
    for (const [state, number] of Object.entries(counts)) others[state as Certainty] += number;
  }
  const heardEnglish = english.text + english.unsure + english.none;
  const heardOthers = others.text + others.unsure + others.none;
  return [
    finding(
      'languages-lost',
      '% of English, limit',
      { hearth: percent(english.none, heardEnglish), floor: 2 },
      1,
      true,
    ),
    finding(
      'languages-refused',
      '% of others not taken as text',
      { hearth: percent(others.none + others.unsure, heardOthers), floor: 90 },
      1,
    ),
  ];
}

function percent(part: number, whole: number): number {
  return (100 * part) / whole;
}
