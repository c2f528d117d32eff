/// <reference lib="dom" />
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { openBrowser } from '../support/browser.ts';
import { newPerson, Visitor } from '../support/client.ts';
import { ROOT, startHearth, temporaryFolder } from '../support/hearth.ts';

/** It has a TypeScript of its own: the newest has not the interface that it needs. */
const GENERATOR = 'tests/api/generator';

const hearth = await startHearth({ after });

/** Uses the generated types as a program would. `@ts-expect-error` fails where there is no error. */
const CLIENT = `
import type { components, paths } from './api.ts';
type Message = components['schemas']['Message'];
type Send = NonNullable<paths['/groups/{groupId}/messages']['post']['requestBody']>['content']['application/json'];
type History = paths['/groups/{groupId}/messages']['get']['responses'][200]['content']['application/json'];
const message: Send = { content: 'hello', replyTo: 3 };
// @ts-expect-error the content of a message is text
const wrong: Send = { content: 3 };
export function authors(history: History): string[] {
  return history.items.map((item: Message) => item.author.name);
}
export function titles(problem: components['schemas']['Problem']): string {
  // @ts-expect-error there is no such field
  return problem.title + problem.nothing + String(message) + String(wrong);
}
`;

test('a client that is generated from the document is type-checked', (t) => {
  const folder = temporaryFolder(t);
  const run = (program: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(join(ROOT, program), args, {
      cwd: folder,
      encoding: 'utf8',
    });
    assert.equal(status, 0, `${program}: ${stdout}${stderr}`);
  };
  return new Visitor(hearth.url).get('/api/v1/openapi.json').then(({ body }) => {
    writeFileSync(join(folder, 'openapi.json'), body);
    run(`${GENERATOR}/node_modules/.bin/openapi-typescript`, 'openapi.json', '-o', 'api.ts');
    writeFileSync(join(folder, 'client.ts'), CLIENT);
    const flags = ['--strict', '--noEmit', '--allowImportingTsExtensions', '--module', 'nodenext'];
    run('node_modules/.bin/tsc', ...flags, '--target', 'es2022', '--types', '', 'client.ts');
  });
});

test('the page of the API shows every address, from this server only, and tries one with a token', async (t) => {
  const browser = await openBrowser(t);
  await newPerson(hearth.url, 'ada');
  const made = await new Visitor(hearth.url).request(
    'POST',
    '/api/v1/token',
    JSON.stringify({ username: 'ada', password: 'correct horse battery' }),
    { 'content-type': 'application/json' },
  );
  const page = await (await browser.newContext()).newPage();
  const complaints: string[] = [];
  page.on('console', (line) => line.type() === 'error' && complaints.push(line.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  const elsewhere: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(hearth.url) && !request.url().startsWith('data:'))
      elsewhere.push(request.url());
  });
  await page.goto(`${hearth.url}/api/docs`);
  await page.getByRole('button', { name: 'Authorize' }).click();
  await page.locator('input[type="text"]').first().fill(JSON.parse(made.body).access_token);
  await page.locator('.modal-ux').getByRole('button', { name: 'Apply credentials' }).click();
  await page.locator('.modal-ux').getByRole('button', { name: 'Close' }).click();
  const me = page.locator('.opblock', { hasText: 'Your account' });
  // Swagger UI draws what is in view.
  for (let steps = 0; steps < 100 && (await me.count()) === 0; steps++) {
    await page.mouse.wheel(0, 500);
    await page.waitForTimeout(50);
  }
  await me.locator('.opblock-summary').click();
  await me.getByRole('button', { name: 'Try it out' }).click();
  await me.getByRole('button', { name: 'Execute' }).click();
  await me.locator('.live-responses-table').getByText('"username"').waitFor();
  assert.deepEqual([complaints, elsewhere], [[], []]);
});
