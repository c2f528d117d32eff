import vm from 'node:vm';
import hljs from 'highlight.js/lib/common';
import { type Highlight, type Mentioned, mentionedNames, renderMarkdown, renderPlain } from './markdown.ts';

export type RenderJob =
  | { kind: 'render'; text: string; mentions: readonly (readonly [string, Mentioned])[] }
  | { kind: 'names'; text: string };

/** Time limits per message in milliseconds: for highlighting its code, and for the rest of rendering. */
const HIGHLIGHT_MS = 100;
const RENDER_MS = 150;

/** Code longer than this, in characters, is shown as it is. */
const HIGHLIGHTED_CHARACTERS = 4_000;
/** A run of 1,000 characters without a space is no program text, and makes regular expressions backtrack. */
const LONG_RUN = /\S{1000}/;

const compiled = new Set<string>();

/** Runs in a worker thread, since some texts take half a second. */
export default function work(job: RenderJob): string | string[] {
  if (job.kind === 'names') return limited(() => mentionedNames(job.text), RENDER_MS) ?? [];
  const mentions = new Map(job.mentions);
  const coloured = limited(() => renderMarkdown(job.text, mentions, highlighter()), HIGHLIGHT_MS + RENDER_MS);
  return coloured ?? renderPlain(job.text);
}

/** Highlights code until the message's time for it is used up; further code blocks stay plain. */
function highlighter(): Highlight {
  let left = HIGHLIGHT_MS;
  return (code, language) => {
    if (left <= 0 || code.length > HIGHLIGHTED_CHARACTERS || LONG_RUN.test(code)) return '';
    if (!hljs.getLanguage(language)) return '';
    compile(language);
    const started = performance.now();
    const html = limited(() => hljs.highlight(code, { language, ignoreIllegals: true }).value, left);
    left = html === undefined ? 0 : left - (performance.now() - started);
    return html ?? '';
  };
}

/** Compiles a grammar before its first use, so that this does not use up the message's time for highlighting. */
function compile(language: string): void {
  if (compiled.has(language)) return;
  hljs.highlight('', { language });
  compiled.add(language);
}

const script = new vm.Script('globalThis.limitedWork()');

/**
 * Runs a function with a timeout in milliseconds. V8 can interrupt regular expressions too; the thread survives.
 * @returns undefined on timeout
 */
function limited<Result>(run: () => Result, timeout: number): Result | undefined {
  let result: Result | undefined;
  const before = Reflect.get(globalThis, 'limitedWork');
  Reflect.set(globalThis, 'limitedWork', () => {
    result = run();
  });
  try {
    script.runInThisContext({ timeout: Math.max(1, Math.round(timeout)) });
    return result;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined;
    throw error;
  } finally {
    Reflect.set(globalThis, 'limitedWork', before);
  }
}
