import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { ROOT } from '../support/hearth.ts';

function textsOf(folder: string, ending: string): [string, string][] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => [join(folder, name), readFileSync(join(ROOT, folder, name), 'utf8')]);
}

test('every class of a template is in a style sheet or a script', () => {
  const styled = new Set<string>();
  for (const [, text] of textsOf('static/css', '.css'))
    for (const [, name = ''] of text.matchAll(/\.([a-z][\w-]*)/g)) styled.add(name);
  const scripts = textsOf('static/js', '.js')
    .map(([, text]) => text)
    .join('\n');
  const unknown: string[] = [];
  for (const [file, text] of textsOf('views', '.njk')) {
    for (const [, classes = ''] of text.matchAll(/class="([^"]*)"/g)) {
      // What ends in "-" goes on with a number.
      for (const name of classes.replaceAll(/\{%.*?%\}|\{\{.*?\}\}/g, ' ').split(/\s+/))
        if (/^[a-z][\w-]*\w$/.test(name) && !styled.has(name) && !scripts.includes(name))
          unknown.push(`${file}: ${name}`);
    }
  }
  assert.deepEqual(unknown, []);
});

test('a field that is refused gets the focus, so that its error is in sight', () => {
  const without: string[] = [];
  for (const [file, text] of textsOf('views', '.njk'))
    for (const [element] of text.matchAll(/<(?:input|select|textarea)\b[^\n]*?aria-invalid="true[^\n]*/g))
      if (!element.includes('autofocus')) without.push(`${file}: ${element.slice(0, 60)}`);
  assert.deepEqual(without, []);
});
