import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { SMTPServer } from 'smtp-server';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { startHearth, startHearthProcess } from '../support/hearth.ts';
import { until } from '../support/until.ts';

/** A mail server in this process, and a Hearth that sends by it. */
async function startWithMail(
  t: TestContext,
  options: { refuses?: number; env?: Record<string, string> } = {},
) {
  const mails: { to: string; text: string }[] = [];
  let refusals = options.refuses ?? 0;
  const server = new SMTPServer({
    authOptional: false,
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    onAuth: ({ username, password }, _session, done) =>
      username === 'hearth' && password === 'p@ss' ? done(null, { user: username }) : done(new Error('no')),
    onData(stream, { envelope }, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        if (refusals-- > 0) return done(Object.assign(new Error('Try later'), { responseCode: 451 }));
        const text = Buffer.concat(chunks).toString().replace(/=\r\n/g, '').replace(/=3D/g, '=');
        mails.push({ to: envelope.rcptTo[0]?.address ?? '', text });
        done();
      });
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  t.after(() => new Promise<void>((resolve) => server.close(resolve)));
  const { port } = server.server.address() as AddressInfo;
  const hearth = await startHearth(t, {
    env: {
      SMTP_URL: `smtp://hearth:p%40ss@127.0.0.1:${port}`,
      ORIGINS: 'https://chat.example',
      MAIL_FROM: 'Hearth <chat@example.org>',
      ...options.env,
    },
  });
  const next = async (to: string) => {
    const mail = await until(() => mails.find((one) => one.to.toLowerCase() === to.toLowerCase()), to);
    mails.splice(mails.indexOf(mail), 1);
    return mail.text;
  };
  /** The path of the link in the next mail to an address. */
  const linkTo = async (to: string) =>
    /https:\/\/chat\.example(\/\S+)/.exec(await next(to))?.[1] ?? assert.fail();
  return { hearth, mails, next, linkTo };
}

test('an address is confirmed by its link, and then a forgotten password comes back by it', async (t) => {
  const { hearth, mails, linkTo } = await startWithMail(t);
  const ada = await newPerson(hearth.url, 'ada');
  const wrong = await ada.post('/account/email', { email: 'not an address', password: PASSWORD });
  assert.deepEqual([wrong.status, wrong.body.includes('value="not an address"')], [400, true]);
  const guessed = await ada.post('/account/email', { email: 'eve@canary.example', password: 'wrong' });
  assert.equal(guessed.status, 403, 'an unlocked screen is not enough');
  assert.match(guessed.body, /id="email-password" [^>]*autofocus aria-invalid="true"/);
  await ada.post('/account/email', { email: 'ada@canary.example', password: PASSWORD });
  const link = await linkTo('ada@canary.example');
  const stranger = new Visitor(hearth.url);
  await stranger.post('/forgot', { name: 'ada' });
  assert.match((await stranger.get(link)).body, /Yes, this is my address/);
  assert.match((await stranger.post(link)).body, /is your address now/);
  assert.equal((await stranger.post(link)).status, 404, 'once');

  const known = await stranger.post('/forgot', { name: 'ADA@canary.example' });
  const unknown = await stranger.post('/forgot', { name: 'nobody@canary.example' });
  assert.equal(known.body, unknown.body, 'the same answer for every name');
  const reset = await linkTo('ada@canary.example');
  assert.match(reset, /^\/new-password\//);
  assert.equal((await stranger.post(reset, { password: 'another good password' })).status, 303);
  assert.equal(
    (await new Visitor(hearth.url).post('/login', { username: 'ada', password: PASSWORD })).status,
    401,
  );
  assert.equal(mails.length, 0, 'nothing was sent before it was confirmed, or to nobody');

  const joe = await newPerson(hearth.url, 'joe');
  await joe.post('/account/email', { email: 'Ada@Canary.example', password: PASSWORD });
  assert.equal(
    (await joe.post(await linkTo('Ada@Canary.example'))).status,
    404,
    'an address belongs to one account',
  );
  await ada.post('/login', { username: 'ada', password: 'another good password' });
  for (const path of ['/people/1', '/groups']) assert.doesNotMatch((await joe.get(path)).body, /canary/);
  for (const file of readdirSync(hearth.dataDir, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  ))
    assert.ok(
      !readFileSync(join(file.parentPath, file.name))
        .toString('latin1')
        .toLowerCase()
        .includes('canary.example'),
      file.name,
    );
  await ada.post('/account/email', { email: '', password: 'another good password' });
  await stranger.post('/forgot', { name: 'ada@canary.example' });
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(mails.length, 0, 'an address that was taken away gets no link');
});

test('an invitation by e-mail is for one person, who accepts or declines it, with an account or without', async (t) => {
  const { hearth, linkTo } = await startWithMail(t, { env: { REGISTRATION: 'invite' } });
  const ada = await newPerson(hearth.url, 'ada', 1);
  const invite = async (email: string) => {
    const { location } = await ada.post('/invitations', { email, groups: '1', uses: '5' });
    assert.match((await ada.get(location)).body, new RegExp(`sent to ${email}`));
    return linkTo(email);
  };
  const accepted = await invite('joe@example.org');
  const joe = new Visitor(hearth.url);
  assert.match((await joe.get(accepted)).body, /Decline/);
  const code = accepted.split('/').at(-1) ?? '';
  assert.equal((await joe.post('/register', { username: 'joe', password: PASSWORD, code })).status, 303);
  assert.equal((await new Visitor(hearth.url).get(accepted)).status, 404, 'it is used up');

  const declined = await invite('kim@example.org');
  assert.match((await new Visitor(hearth.url).post(`${declined}/decline`)).body, /You declined/);
  assert.equal((await new Visitor(hearth.url).get(declined)).status, 404);
  assert.equal((await new Visitor(hearth.url).post(`${declined}/decline`)).status, 404);
  assert.match((await ada.get('/invitations')).body, /Declined/);

  await ada.post('/groups', { name: 'Shed', closed: 'yes' });
  const { location } = await ada.post('/invitations', { email: 'joe@example.org', groups: '3' });
  assert.ok(location);
  assert.equal(
    (await joe.post(await linkTo('joe@example.org'))).location,
    '/groups/3',
    'somebody who has an account joins',
  );

  const many = (await ada.get((await ada.post('/invitations', {})).location)).body;
  const open = /[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2}/.exec(many)?.[0];
  assert.equal(
    (await new Visitor(hearth.url).post(`/join/${open}/decline`)).status,
    404,
    'a link for many is nobody’s to decline',
  );
});

test('a mail that the server refuses for now is sent later; without a mail server links are shown', async (t) => {
  const { hearth, next } = await startWithMail(t, { refuses: 1 });
  const ada = await newPerson(hearth.url, 'ada', 1);
  await ada.post('/invitations', { email: 'joe@example.org' });
  assert.match(await next('joe@example.org'), /ada invites you/);

  const plain = await startHearth(t);
  const joe = await newPerson(plain.url, 'joe', 1);
  assert.doesNotMatch((await joe.get('/invitations')).body, /Send it to/);
  assert.doesNotMatch((await joe.get('/account')).body, /E-mail address/);
  assert.match(
    (await new Visitor(plain.url).get('/forgot')).body,
    /An administrator of this Hearth makes you a link/,
  );
  const refused = await joe.post('/invitations', { email: 'kim@example.org' });
  assert.deepEqual([refused.status, /sends no e-mail/.test(refused.body)], [409, true]);
  assert.equal(
    (await joe.post('/account/email', { email: 'joe@example.org', password: PASSWORD })).status,
    409,
  );
});

test('a new password voids an address that waits; a new address voids links to the old one, and tells it', async (t) => {
  const { hearth, next, linkTo } = await startWithMail(t);
  const ada = await newPerson(hearth.url, 'ada');
  const nobody = new Visitor(hearth.url);
  const set = (email: string, password: string) => ada.post('/account/email', { email, password });
  await set('eve@example.org', PASSWORD);
  const planted = await linkTo('eve@example.org');
  await ada.post('/account/password', { current: PASSWORD, password: 'another good password' });
  assert.equal((await nobody.post(planted)).status, 404);

  await set('old@example.org', 'another good password');
  await nobody.post(await linkTo('old@example.org'));
  await nobody.post('/forgot', { name: 'ada' });
  const sent = await linkTo('old@example.org');
  await set('new@example.org', 'another good password');
  await nobody.post(await linkTo('new@example.org'));
  assert.match(await next('old@example.org'), /Another e-mail address was confirmed/);
  assert.equal((await nobody.get(sent)).status, 404, 'a mailbox that was given up opens nothing');

  const joe = await newPerson(hearth.url, 'joe');
  await joe.post('/account/email', { email: 'joe@example.org', password: PASSWORD });
  await nobody.post(await linkTo('joe@example.org'));
  assert.equal(
    (await ada.post('/admin/people/2/remove-second-factor')).status,
    303,
    'administrators take an address away',
  );
  assert.equal((await ada.post('/admin/people/2/remove-second-factor')).status, 409);
});

test('a mail server that says nothing does not hold up the end', async (t) => {
  const silent = createServer().listen(0, '127.0.0.1');
  t.after(() => silent.close());
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const hearth = await startHearthProcess(t, {
    env: { SMTP_URL: `smtp://127.0.0.1:${port}`, ORIGINS: 'https://chat.example.org' },
  });
  const ada = await newPerson(hearth.url, 'ada', 1);
  const connected = once(silent, 'connection');
  await ada.post('/account/email', { email: 'ada@example.org', password: PASSWORD });
  const [socket] = (await connected) as [Socket];
  t.after(() => socket.destroy());
  const started = performance.now();
  assert.equal(await hearth.stop(), 0);
  assert.ok(performance.now() - started < 5_000, 'as a supervisor waits');
  assert.match(
    hearth.output().stderr,
    /A mail may not have been sent: the server did not answer before the end/,
  );
});
