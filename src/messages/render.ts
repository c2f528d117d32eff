import { Piscina } from 'piscina';
import { type Mentions, namesCalled, renderMarkdown, renderPlain } from './markdown.ts';
import type { RenderJob } from './markdown-worker.ts';

/**
 * Longer texts are drawn in a worker thread. Markdown's worst cases take time with the square of their length: two
 * milliseconds at this many characters, half a second at 8,000.
 */
export const DRAWN_HERE_CHARACTERS = 500;
/** Code with a language is coloured, which only the worker does. */
const COLOURED = /^[ >]*(?:`{3,}|~{3,})[^\S\n]*[^\s`]/m;
/** A text that has waited so long for the worker is shown as it was typed; the start of the worker takes longer. */
const LONGEST_WAIT_MS = 1_000;
const LONGEST_START_MS = 20_000;

export type Drawn = {
  html: string /** False where it was shown as typed because the worker was busy. */;
  isFinal: boolean;
};

/** Draws what people write, without holding up the event loop. */
export type TextRenderer = {
  render(text: string, mentions: Mentions): Promise<Drawn>;
  /** The names that a text calls with an @. */
  namesCalled(text: string): Promise<string[]>;
  close(): Promise<void>;
};

/** @param report hears of a worker that failed; texts are then shown as they were typed */
export function createTextRenderer(report: (error: unknown) => void): TextRenderer {
  let pool: Piscina | undefined;
  let started: Promise<unknown> | undefined;

  function start(): Piscina {
    const created = new Piscina({
      filename: new URL('./markdown-worker.ts', import.meta.url).href,
      minThreads: 1,
      maxThreads: 1,
    });
    // An error that nobody hears would end the process.
    created.on('error', report);
    return created;
  }

  /** @returns undefined where the worker did not come to it in time */
  async function run<Result>(job: RenderJob): Promise<Result | undefined> {
    pool ??= start();
    started ??= pool.run({ kind: 'names', text: '' } satisfies RenderJob);
    try {
      await within(started, LONGEST_START_MS);
      return await within<Result>(pool.run(job), LONGEST_WAIT_MS);
    } catch (error) {
      report(error);
      return undefined;
    }
  }

  return {
    async render(text, mentions) {
      if (text.length <= DRAWN_HERE_CHARACTERS && !COLOURED.test(text))
        return { html: renderMarkdown(text, mentions), isFinal: true };
      const html = await run<string>({ kind: 'render', text, mentions: [...mentions] });
      return { html: html ?? renderPlain(text), isFinal: html !== undefined };
    },
    async namesCalled(text) {
      if (!/[@＠]/.test(text)) return [];
      if (text.length <= DRAWN_HERE_CHARACTERS) return namesCalled(text);
      return (await run<string[]>({ kind: 'names', text })) ?? [];
    },
    async close() {
      await pool?.destroy();
    },
  };
}

/** @returns undefined where it takes longer */
async function within<Result>(work: Promise<Result>, milliseconds: number): Promise<Result | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, milliseconds, undefined);
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
    // What nobody waits for any more may fail by itself.
    work.catch(() => {});
  }
}
