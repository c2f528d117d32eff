import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { test } from 'node:test';
import hljs from 'highlight.js/lib/common';
import { renderMarkdown } from '../../src/messages/markdown.ts';
import { createTextRenderer, DRAWN_HERE_CHARACTERS } from '../../src/messages/render.ts';

const ORDINARY = 'Can **someone** open the shed before _nine_ tomorrow? See https://example.com/beds, @ada. ';
/** Pieces that make parsers look back: each is repeated to the length of a message. */
const PIECES = [
  '*a ',
  '**a',
  '_a_',
  '~~',
  '`',
  '[',
  '](',
  '[a](',
  '![',
  '<',
  '<a ',
  '>',
  '> ',
  '- ',
  '1. ',
  '\\',
  '&#',
  '"',
  "'",
  '(',
  ')',
  'a@',
  '@a',
  'www.',
  'http://',
  'http://a.',
  '://',
  'a.b.',
  '*_',
  '**_',
  '[[',
  ']]',
  '*a**b',
  '`a``b',
  '\t',
  ' ',
  '\n',
  '> > ',
  '- - ',
  '```\n',
  '~~~\n',
  '[a]: b\n',
  '한',
  'é',
  '\u0301',
  '\u202e',
  '𝒳',
  '@@',
  '＠',
  '-',
  '=',
  '|',
  '||a',
  ':',
  '::',
  '/',
  '#',
];
const filled = (piece: string, length: number) =>
  piece.repeat(Math.ceil(length / piece.length)).slice(0, length);

/** Time on this thread, in milliseconds: the best of several, which noise does not make smaller. */
function best(work: () => unknown, rounds = 5): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    work();
    least = Math.min(least, performance.now() - started);
  }
  return least;
}

test('what is drawn on the main thread takes little more time than ordinary text of that length', () => {
  const render = (text: string) => () => renderMarkdown(text, new Map());
  const ordinary = best(render(filled(ORDINARY, DRAWN_HERE_CHARACTERS)), 20);
  for (const piece of PIECES) {
    const hostile = best(render(filled(piece, DRAWN_HERE_CHARACTERS)));
    assert.ok(
      hostile < 30 * ordinary,
      `${JSON.stringify(piece)}: ${hostile} ms, ordinary text ${ordinary} ms`,
    );
  }
});

test('no text holds the event loop: every language, and the worst of Markdown, at full length', async (t) => {
  const renderer = createTextRenderer((error) => {
    throw error;
  });
  t.after(() => renderer.close());
  const active = async (text: string) => {
    const before = performance.eventLoopUtilization();
    await renderer.render(text, new Map());
    return performance.eventLoopUtilization(before).active;
  };
  const longest = async (texts: readonly string[]) => {
    let most = 0;
    for (const text of texts) {
      let least = await active(text);
      // On a busy machine another process may have had the processor meanwhile.
      for (let again = 0; again < 3 && least > 20; again++) least = Math.min(least, await active(text));
      most = Math.max(most, least);
    }
    return most;
  };
  const fences = (language: string) =>
    ['_', 'a', '$', '(', '{', '"', '<', '/*', 'a ', '= ', '\\', '0', '-', '#{'].map(
      (piece) => `\`\`\`${language}\n${filled(piece, 3_990)}\n\`\`\`\n`,
    );
  await renderer.render(filled(ORDINARY, 7_900), new Map());
  const ordinary = await longest(Array.from({ length: 20 }, () => filled(ORDINARY, 7_900)));
  const hostile = await longest([
    ...PIECES.map((piece) => filled(piece, 7_990)),
    ...hljs.listLanguages().flatMap((language) => [fences(language).slice(0, 3).join('')]),
    ...['ini', 'java', 'cpp', 'perl', 'typescript'].flatMap(fences),
  ]);
  // The worker's time is bounded by itself; this thread hands over and takes back.
  assert.ok(
    hostile < 20 + 5 * ordinary,
    `${hostile} ms on the main thread, ${ordinary} ms for ordinary text`,
  );
});

test('code is coloured; what takes too long is shown as it is', async (t) => {
  const renderer = createTextRenderer((error) => {
    throw error;
  });
  t.after(() => renderer.close());
  const { html } = await renderer.render('```js\nconst a = 1;\n```', new Map());
  assert.match(html, /hljs-keyword">const/);
  const slow = await renderer.render(`\`\`\`ini\n${'_'.repeat(3_990)}\n\`\`\``, new Map());
  assert.match(slow.html, /<code class="language-ini">_{3990}/);
});
