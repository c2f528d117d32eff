import { Piscina } from 'piscina';
import { type Mentions, mentionedNames, renderMarkdown, renderPlain } from './markdown.ts';
import type { RenderJob } from './markdown-worker.ts';

/**
 * Longer texts are rendered in a worker thread. The worst case of Markdown is quadratic in the length: two
 * milliseconds at this many characters, half a second at 8,000.
 */
export const DRAWN_HERE_CHARACTERS = 500;
/** A code block with a language: only the worker highlights those. */
const COLOURED = /^[ >]*(?:`{3,}|~{3,})[^\S\n]*[^\s`]/m;
/** Timeouts of the worker for a text, after which it is shown unformatted, and for its start. */
const LONGEST_WAIT_MS = 1_000;
const LONGEST_START_MS = 20_000;

export type Drawn = {
  html: string;
  /** False when the worker timed out or failed and the text is unformatted: not to be cached. */
  isFinal: boolean;
};

/** Draws what people write, without holding up the event loop. */
export type TextRenderer = {
  render(text: string, mentions: Mentions): Promise<Drawn>;
  /** The names that a text calls with an @. */
  mentionedNames(text: string): Promise<string[]>;
  close(): Promise<void>;
};

/** @param report called with errors of the worker; texts are then shown unformatted */
export function createTextRenderer(report: (error: unknown) => void): TextRenderer {
  let pool: Piscina | undefined;
  let started: Promise<unknown> | undefined;

  function start(): Piscina {
    const created = new Piscina({
      filename: new URL('./markdown-worker.ts', import.meta.url).href,
      minThreads: 1,
      maxThreads: 1,
    });
    // Without a listener, an `error` event would end the process.
    created.on('error', report);
    return created;
  }

  /** @returns undefined when the worker timed out or failed */
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
    async mentionedNames(text) {
      if (text.length <= DRAWN_HERE_CHARACTERS) return mentionedNames(text);
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
    // After a timeout nobody awaits `work`: its rejection must not be unhandled.
    work.catch(() => {});
  }
}
