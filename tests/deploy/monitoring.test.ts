import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { newPerson } from '../support/client.ts';
import { ROOT, startHearth, temporaryFolder } from '../support/hearth.ts';

const DEPLOY = join(ROOT, 'deploy');
const read = (name: string) => readFileSync(join(DEPLOY, name), 'utf8');

test('Prometheus takes the rules, and they fire when they should and not before', () => {
  execFileSync('promtool', ['check', 'rules', 'alerts.yml'], { cwd: DEPLOY, stdio: 'pipe' });
  execFileSync('promtool', ['test', 'rules', 'alerts.test.yml'], { cwd: DEPLOY, stdio: 'pipe' });
});

test('every figure that the rules and the dashboard ask for is one that Hearth has', async (t) => {
  const hearth = await startHearth(t, { flags: ['--backup-to', join(temporaryFolder(t), 'backups')] });
  const ada = await newPerson(hearth.url, 'ada', 1);
  await ada.post('/groups/1/messages', { content: 'hello' });
  const { body } = await ada.get('/metrics');
  const dashboard = JSON.parse(read('grafana.json'));
  const asked = [read('alerts.yml'), JSON.stringify(dashboard)].join('\n');
  const names = new Set(asked.match(/\b(?:hearth|nodejs|process)_[a-z0-9_]+/g));
  assert.ok(names.size >= 10);
  for (const name of names) assert.match(body, new RegExp(`^${name}(?:\\{| )`, 'm'), name);
  assert.ok(dashboard.panels.every((panel: { description: string }) => panel.description.length > 0));
});
