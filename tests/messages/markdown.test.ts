import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mentionedNames, renderMarkdown } from '../../src/messages/markdown.ts';

const html = (text: string) => renderMarkdown(text, new Map());
/** What a reader sees of it. */
const visible = (text: string) =>
  html(text)
    .replaceAll('<br>', '\n')
    .replace(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .trim();
const hrefs = (text: string) => [...html(text).matchAll(/href="([^"]*)"/g)].map((match) => match[1]);

test('what formats nothing stays as it was typed: paths, faces, dunders, sums, entities', () => {
  for (const text of [
    '\\\\nas01\\photos\\_2024\\.cache',
    'C:\\Users\\me\\.ssh\\id_rsa',
    '¯\\_(ツ)_/¯',
    '__init__.py',
    'snake_case_name and 2*3*4',
    'type &lt;br&gt; or &nbsp; &copy; &#x202e;abc',
  ])
    assert.equal(visible(text), text, text);
});

test('a backslash before a mark that would act is not shown', () => {
  assert.equal(visible('\\*not soft\\* and \\`not code\\`'), '*not soft* and `not code`');
  assert.doesNotMatch(html('\\*not soft\\* and \\`not code\\`'), /<em>|<code>/);
  assert.equal(visible('\\> no quote'), '> no quote');
});

test('emphasis works where it is meant', () => {
  assert.match(html('**bold** *soft* _soft_ ~~gone~~'), /<strong>bold<.*<em>soft<.*<em>soft<.*<s>gone</);
  assert.match(html('**fol**low'), /<strong>fol<\/strong>low/);
});

test('a quote ends with its line, code in fences keeps its lines', () => {
  assert.match(html('> said\nmy answer'), /<\/blockquote>\s*<p>my answer<\/p>/);
  assert.match(html('> one\n> two'), /one<br>two/);
  assert.match(html('```\n> a\nb\n```'), /<code>&gt; a\nb\n<\/code>/);
});

test('links need a scheme, www. or a well-known ending; file names and sentences are text', () => {
  for (const text of [
    'see README.md, deploy.sh, main.rs and app.py',
    'It works.It really does.So we go.No more',
  ])
    assert.deepEqual(hrefs(text), [], text);
  assert.deepEqual(hrefs('example.org, www.example.net/x and https://a.md'), [
    'http://example.org',
    'http://www.example.net/x',
    'https://a.md',
  ]);
});

test('marks around an address and after it are not part of it', () => {
  assert.deepEqual(hrefs('_https://example.com/it_'), ['https://example.com/it']);
  assert.match(html('_https://example.com/it_'), /<em><a/);
  assert.deepEqual(hrefs('~~https://example.com/s~~'), ['https://example.com/s']);
  assert.deepEqual(hrefs('https://example.com/f: end'), ['https://example.com/f']);
  for (const address of [
    'https://example.com/Tree_(data_structure)',
    'https://example.com/_a_/b_c_d/_e',
    'https://example.com/A_$_B_(1_2)_(3).jpg',
    'https://example.com/~~x~~/y',
  ])
    assert.deepEqual(hrefs(address), [address]);
});

test('an address that looks like another one is shown in its ASCII form', () => {
  assert.equal(visible('https://xn--pple-43d.com/login'), 'https://xn--pple-43d.com/login');
  assert.equal(visible('https://аpple.com/login'), 'https://xn--pple-43d.com/login');
  assert.equal(visible('https://xn--80ak6aa92e.com'), 'https://xn--80ak6aa92e.com');
  assert.equal(visible('https://xn--mller-kva.de/x'), 'https://müller.de/x');
  assert.equal(visible('https://пример.рф/'), 'https://пример.рф/');
});

test('names are called in text only: not in code, addresses, link texts or behind a backslash', () => {
  for (const text of [
    'write `@bob` to call him',
    '```\n@bob decorator\n```',
    'https://social.example/@bob/123',
    '[@bob](https://example.com)',
    '\\@bob',
    'bob@example.org',
    'type `@all` for all',
  ])
    assert.deepEqual(mentionedNames(text), [], text);
  assert.deepEqual(mentionedNames('@bob’s (@carol.k.) **@dave** > @eve'), ['bob', 'carol.k.', 'dave', 'eve']);
});

test('names beside scripts without spaces, and after a full-width @, are called', () => {
  const shown = (text: string) => renderMarkdown(text, new Map([['bob', { id: 7 }]]));
  for (const text of ['你好@bob', '@bob你好', '＠bob', '@bobさん'])
    assert.match(shown(text), /data-mention="7">@bob</, text);
});
