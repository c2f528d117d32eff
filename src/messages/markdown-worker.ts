import vm from 'node:vm';
import hljs from 'highlight.js/lib/common';
import { type Highlight, namesCalled, renderMarkdown, renderPlain } from './markdown.ts';

export type RenderJob =
  | { kind: 'render'; text: string; mentions: readonly (readonly [string, number | undefined])[] }
  | { kind: 'names'; text: string };

/** How long the code of one message may take to colour, and then the message as a whole, in milliseconds. */
const HIGHLIGHT_MS = 100;
const RENDER_MS = 150;

/** Code longer than this, in characters, is shown as it is. */
const HIGHLIGHTED_CHARACTERS = 4_000;
/** A run of 1,000 characters without a space is no program text, and makes regular expressions backtrack. */
const LONG_RUN = /\S{1000}/;

const compiled = new Set<string>();

/** Runs in a worker thread: some texts take half a second, and nobody else waits for them. */
export default function work(job: RenderJob): string | string[] {
  if (job.kind === 'names') return limited(() => namesCalled(job.text), RENDER_MS) ?? [];
  const mentions = new Map(job.mentions);
  const coloured = limited(() => renderMarkdown(job.text, mentions, highlighter()), HIGHLIGHT_MS + RENDER_MS);
  return coloured ?? renderPlain(job.text);
}

/** Colours code until the time of its message has run out; from then on code stays as it is. */
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

/** A grammar is compiled when it is first used, which is not the fault of the message that happens to do so. */
function compile(language: string): void {
  if (compiled.has(language)) return;
  hljs.highlight('', { language });
  compiled.add(language);
}

const script = new vm.Script('globalThis.limitedWork()');

/**
 * Runs a function for at most so many milliseconds: V8 interrupts regular expressions too, and the thread goes on.
 * @returns undefined where the time ran out
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
