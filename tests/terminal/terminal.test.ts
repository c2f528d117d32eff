import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { signInProgram } from '../support/api.ts';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { startHearth, startHearthProcess, temporaryFolder } from '../support/hearth.ts';
import { CLIENT, Terminal } from '../support/terminal.ts';

const { url } = await startHearth({ after });

async function signIn(terminal: Terminal, username: string): Promise<void> {
  await terminal.shows('Name:');
  terminal.enter(username);
  await terminal.shows('Password:');
  terminal.enter(PASSWORD);
}

/** Runs the client with this as its standard input. */
async function pipe(lines: string, args: string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [...CLIENT, ...args], {
    env: { PATH: process.env.PATH ?? '', ...env },
  });
  let errors = '';
  child.stderr.on('data', (text) => {
    errors += text;
  });
  child.stdin.end(lines);
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { code, errors };
}

test('one signs in without an echo, reads, writes, answers, searches, sends a file, and leaves', async (t) => {
  const joe = await newPerson(url, 'joe', 1, 2);
  await newPerson(url, 'ada', 1, 2);
  await joe.post('/groups/1/messages', { content: '日本語のメッセージ 🎉' });
  await joe.post('/groups/1/messages', { content: 'evil \u001b[2J\u001b]0;title\u0007 end' });
  await joe.post('/groups/2/messages', { content: 'unread in Random' });
  const terminal = new Terminal(t, url);
  await terminal.shows('Name:');
  // All at once, before the password is asked.
  terminal.press('ada', 'Enter', 'not my password');
  await terminal.shows('Password:');
  terminal.press('Enter');
  const refused = await terminal.shows('That name and password don’t match');
  assert.ok(!refused.includes('not my password'), 'never shown');
  await signIn(terminal, 'ada');
  const first = await terminal.shows('日本語のメッセージ 🎉');
  assert.match(first, /#2 joe: evil .*\[2J.*title.* end/, 'others cannot move the cursor');
  assert.match(first, /^1 Random/m, 'the unread of other groups');

  await joe.post('/groups/1/messages', { content: 'live, as it is written' });
  await terminal.shows('#3 joe: live, as it is written');
  terminal.enter('hello from the terminal');
  await terminal.shows('#4 ada: hello from the terminal');
  terminal.enter('/reply 1 an answer');
  await terminal.shows('#5 ada ↪ 1: an answer');
  assert.match((await joe.get('/groups/1')).body, /hello from the terminal[\s\S]*an answer/);
  terminal.enter('/search live');
  await terminal.shows('General #3 joe: live, as it is written');
  terminal.enter('/who');
  await terminal.shows('Here now: ada');
  terminal.enter('/nonsense');
  await terminal.shows('There is no /nonsense');
  // It was given back.
  terminal.press('C-u');
  const file = join(temporaryFolder(t), 'a note.txt');
  writeFileSync(file, 'a note');
  terminal.enter(`/file "${file}" please read`);
  await terminal.shows('please read [file a note.txt, 1 KB]');

  terminal.press('Tab');
  await terminal.shows('#1 joe: unread in Random');
  // In the list at the side it has no count any more: it is read.
  await terminal.shows(/\nRandom\s*\n/);
  await joe.post('/groups', { name: 'Garden' });
  terminal.enter('/groups');
  await terminal.shows('Garden (to join)');
  terminal.enter('/join garden');
  await terminal.shows('Nothing has been written here yet.');
  terminal.resize(50, 12);
  await terminal.shows(/^Garden\s*\nNothing/);
  terminal.enter('/quit');
  await terminal.shows('left 0');
  const settings = join(terminal.home, 'hearth', 'terminal.json');
  assert.equal(statSync(settings).mode & 0o777, 0o600);
  assert.ok(!readFileSync(settings, 'utf8').includes(PASSWORD));
});

test('a password that is entered twice is not sent as a message', async (t) => {
  const ada = await newPerson(url, 'impatient', 1);
  const terminal = new Terminal(t, url);
  await terminal.shows('Name:');
  terminal.enter('impatient');
  await terminal.shows('Password:');
  terminal.press(PASSWORD, 'Enter', PASSWORD, 'Enter', PASSWORD);
  await terminal.shows('General');
  terminal.enter('a message');
  const screen = await terminal.shows(/#\d+ impatient: a message/);
  assert.ok(!screen.includes(PASSWORD), screen);
  assert.ok(!(await ada.get('/groups/1')).body.includes(PASSWORD));
});

test('Ctrl+C and Ctrl+D end it while it asks, and Ctrl+C while it waits for an answer', async (t) => {
  for (const key of ['C-c', 'C-d']) {
    const terminal = new Terminal(t, url);
    await terminal.shows('Name:');
    terminal.press('ada', 'Enter');
    await terminal.shows('Password:');
    terminal.press(key);
    assert.match(await terminal.shows(/left \d/), /Stopped\.[\s\S]*left 1/);
  }
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  t.after(() => silent.close().closeAllConnections());
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const waiting = new Terminal(t, `http://127.0.0.1:${port}`);
  await waiting.shows('Name:');
  waiting.press('ada', 'Enter');
  await waiting.shows('Password:');
  const asked = once(silent, 'request');
  waiting.enter(PASSWORD);
  await asked;
  waiting.press('C-c');
  await waiting.shows('left 130');
});

test('Page Up shows what was written before, as far as it goes, and colours can be off', async (t) => {
  const mary = await newPerson(url, 'mary');
  const { location } = await mary.post('/groups', { name: 'Long' });
  for (let number = 1; number <= 130; number++)
    await mary.post(`${location}/messages`, { content: `line ${number}.` });
  const terminal = new Terminal(t, url, { env: 'NO_COLOR=1' });
  await signIn(terminal, 'mary');
  await terminal.shows('line 130.');
  const top = await terminal.turnTo('PageUp', 'line 1.');
  assert.match(top, /Older messages; Page Down goes back/);
  assert.ok(!/\[3[0-7]m/.test(terminal.screen(true)), 'no colours');
  await terminal.turnTo('PageDown', 'line 130.');
});

test('while the server is away what is written waits, and afterwards all is there, once', async (t) => {
  const dataDir = temporaryFolder(t);
  const first = await startHearthProcess(t, { dataDir });
  const ada = await newPerson(first.url, 'ada', 1);
  await newPerson(first.url, 'joe', 1);
  const terminal = new Terminal(t, first.url);
  await signIn(terminal, 'ada');
  await terminal.shows('General');
  terminal.enter('before');
  await terminal.shows('#1 ada: before');
  await first.kill();
  await terminal.shows('Reconnecting');
  terminal.enter('while it was away');
  await terminal.shows('1 waiting to be sent');
  terminal.press('C-c');
  await terminal.shows('left 0');
  const port = new URL(first.url).port;
  const second = await startHearthProcess(t, { dataDir, flags: ['--port', port] });
  const joe = new Visitor(second.url);
  await joe.post('/login', { username: 'joe', password: PASSWORD });
  await joe.post('/groups/1/messages', { content: 'from joe' });
  // Started again, it sends what was kept.
  const again = new Terminal(t, first.url, { home: terminal.home });
  const screen = await again.shows('while it was away');
  assert.equal(screen.split('while it was away').length, 2, 'once');
  await second.kill();
  await again.shows('Reconnecting');
  const third = await startHearthProcess(t, { dataDir, flags: ['--port', port] });
  const back = new Visitor(third.url);
  await back.post('/login', { username: 'joe', password: PASSWORD });
  await back.post('/groups/1/messages', { content: 'after the restart' });
  await again.shows('after the restart');
  assert.ok(ada);
});

test('what waits is sent by who wrote it, from each of two terminals, and slow mode holds up its own group only', async (t) => {
  const dataDir = temporaryFolder(t);
  const first = await startHearthProcess(t, { dataDir });
  const people = ['ada', 'bob'] as const;
  for (const name of people) await newPerson(first.url, name, 1);
  const [ada, bob] = await Promise.all(people.map((name) => signInProgram(first.url, name)));
  const { json } = (await ada?.post('/groups', { name: 'Slow' })) ?? {};
  await bob?.post(`/groups/${json.groupId}/join`);
  await ada?.post(`/groups/${json.groupId}/slow-mode`, { seconds: 3600 });
  const env = `HEARTH_TOKEN=${ada?.token}`;
  const one = new Terminal(t, first.url, { env });
  const two = new Terminal(t, first.url, { env, home: one.home });
  for (const terminal of [one, two]) await terminal.shows(/^General\s*\n/);
  await first.kill();
  for (const [terminal, text] of [
    [one, 'of the first'],
    [two, 'of the second'],
  ] as const) {
    await terminal.shows('Reconnecting');
    terminal.enter(text);
    await terminal.shows('1 waiting to be sent');
    terminal.press('C-c');
    await terminal.shows('left 0');
  }
  await startHearthProcess(t, { dataDir, flags: ['--port', new URL(first.url).port] });
  const other = new Terminal(t, first.url, { env: `HEARTH_TOKEN=${bob?.token}`, home: one.home });
  await other.shows(/^General\s*\n/);
  other.enter('/join slow');
  await other.shows(/^Slow\s*\n/);
  other.enter('a first one');
  await other.shows('#1 bob: a first one');
  other.enter('a second one');
  await other.shows('This group is in slow mode');
  other.enter('/join general');
  await other.shows(/^General\s*\n/);
  other.enter('of bob, meanwhile');
  await other.shows('#1 bob: of bob, meanwhile');
  await other.shows('1 waiting to be sent');
  const again = new Terminal(t, first.url, { env, home: one.home });
  await again.shows('#3 ada: of the second');
  assert.match(again.screen(), /#1 bob: of bob, meanwhile[\s\S]*#2 ada: of the first/);
});

test('a command of a bot is sent to it, // sends a line as it is, and what is not understood is given back', async (t) => {
  await newPerson(url, 'cyd', 1);
  const cyd = await signInProgram(url, 'cyd');
  const { json } = await cyd.post('/groups', { name: 'Weather' });
  const added = await cyd.post(`/groups/${json.groupId}/webhooks/add-outgoing`, {
    ...{
      name: 'weather',
      url: 'http://127.0.0.1:9/',
      trigger: 'command',
      command: '/weather',
      hint: '[town]',
    },
  });
  assert.equal(added.status, 200, added.body);
  const terminal = new Terminal(t, url, { env: `HEARTH_TOKEN=${cyd.token}` });
  terminal.enter('/join weather');
  await terminal.shows(/^Weather\s*\n/);
  terminal.enter('/weather Berlin');
  await terminal.shows('#1 cyd: /weather Berlin');
  terminal.enter('/etc/hosts is wrong');
  await terminal.shows('There is no /etc');
  await terminal.shows(/\/etc\/hosts is wrong/);
  terminal.press('C-u');
  terminal.enter('//etc/hosts is wrong');
  await terminal.shows('#2 cyd: /etc/hosts is wrong');
  terminal.enter('/file /tmp');
  await terminal.shows('There is no file /tmp');
});

test('a line of a pipe is a message, and what is wrong is said', async (t) => {
  const rosa = await newPerson(url, 'rosa');
  const { location } = await rosa.post('/groups', { name: 'Log' });
  const made = await new Visitor(url).request(
    'POST',
    '/api/v1/token',
    JSON.stringify({ username: 'rosa', password: PASSWORD }),
    { 'content-type': 'application/json' },
  );
  const env = { HEARTH_TOKEN: JSON.parse(made.body).access_token, XDG_CONFIG_HOME: temporaryFolder(t) };
  const sent = await pipe('first\n\nsecond\n', ['send', 'log', url], env);
  assert.deepEqual(sent, { code: 0, errors: '' });
  const { body } = await rosa.get(location);
  assert.deepEqual([/first[\s\S]*second/.test(body), /message-3/.test(body)], [true, false]);
  const nowhere = await pipe('x\n', ['send', 'Nowhere', url], env);
  assert.deepEqual(
    [nowhere.code, /You are in no group "Nowhere". You are in: Log/.test(nowhere.errors)],
    [1, true],
  );
  const nobody = await pipe('x\n', ['send', 'Log', url], { XDG_CONFIG_HOME: temporaryFolder(t) });
  assert.deepEqual([nobody.code, /Sign in first/.test(nobody.errors)], [1, true]);
  const flag = await pipe('a\n', ['--colour'], {});
  assert.deepEqual([flag.code, /^There is no --colour\.\n\nhearth \[ADDRESS\]/.test(flag.errors)], [1, true]);
  const away = await pipe('x\n', ['send', 'Log', 'http://127.0.0.1:9'], env);
  assert.deepEqual(
    [away.code, away.errors],
    [1, '127.0.0.1:9 cannot be reached. Nothing answers there. Is its port right, and does it run?\n'],
  );
  const lines = `a line\n${'x'.repeat(8_001)}\nthe line after\n`;
  const refused = await pipe(lines, ['send', 'log', url], env);
  assert.deepEqual(
    [refused.code, refused.errors],
    [1, 'Line 2 was not sent: A message has at most 8,000 characters.\n'],
  );
  assert.match((await rosa.get(location)).body, /a line[\s\S]*the line after/);
  const wrongToken = await pipe('x\n', ['send', 'log', url], { ...env, HEARTH_TOKEN: 'hearth_wrong' });
  assert.deepEqual(
    [wrongToken.code, /^The token in HEARTH_TOKEN is not valid/.test(wrongToken.errors)],
    [1, true],
  );
  assert.match((await pipe('x', [url], env)).errors, /There is no terminal here/);
});

test('a certificate that nobody vouches for is accepted once, and another in its place is refused', async (t) => {
  const [dataDir, tls] = [temporaryFolder(t), temporaryFolder(t)];
  const flags = ['--tls', '--certfile', join(tls, 'cert.pem'), '--keyfile', join(tls, 'key.pem')];
  const first = await startHearthProcess(t, { dataDir, flags });
  const port = new URL(first.url).port;
  const visitor = new Visitor(first.url);
  await visitor.post('/register', { username: 'ada', password: PASSWORD });
  await visitor.post('/groups/1/join');
  const unsure = new Terminal(t, first.url);
  await unsure.shows('Is it the one that you were told?');
  unsure.enter('no');
  await unsure.shows('left 1');
  const terminal = new Terminal(t, first.url, { home: unsure.home });
  await terminal.shows(/Its fingerprint is [\dA-F:]+/);
  terminal.enter('yes');
  await signIn(terminal, 'ada');
  await terminal.shows('General');
  terminal.enter('over TLS');
  await terminal.shows('#1 ada: over TLS');
  terminal.enter('/quit');
  const again = new Terminal(t, first.url, { home: unsure.home });
  await again.shows('#1 ada: over TLS');
  await first.stop();
  rmSync(tls, { recursive: true });
  await startHearthProcess(t, { dataDir, flags: [...flags, '--port', port] });
  const other = new Terminal(t, first.url, { home: unsure.home, columns: 300 });
  await other.shows('is another than before');
  await other.shows('left 1');
});
