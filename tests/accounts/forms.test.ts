import assert from 'node:assert/strict';
import test from 'node:test';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';

test('forms of accounts: refused with a sentence at the field, nothing typed lost but passwords', async (t) => {
  const hearth = await startHearth(t);
  const visitor = new Visitor(hearth.url);

  await t.test(
    'the first account is said to be the administrator’s, unless a setting names another',
    async () => {
      assert.match((await visitor.get('/register')).body, /Yours is the first, and the administrator’s/);
      const named = await startHearth(t, { env: { ADMIN_USERNAME: 'boss' } });
      const stranger = new Visitor(named.url);
      assert.doesNotMatch((await stranger.get('/register')).body, /administrator/);
      await stranger.register('somebody');
      assert.doesNotMatch((await new Visitor(named.url).get('/register')).body, /the first/);
    },
  );

  await t.test('a name that is too short', async () => {
    const { status, body } = await visitor.post('/register', { username: 'ab', password: PASSWORD });
    assert.equal(status, 400);
    assert.match(body, /A name has 3 to 50/);
    assert.match(body, /value="ab"/);
    assert.ok(!body.includes(PASSWORD));
  });

  await t.test('a password that is too short', async () => {
    const { status, body } = await visitor.post('/register', { username: 'mina', password: 'short' });
    assert.equal(status, 400);
    assert.match(body, /A password has 8 to 256 characters/);
  });

  await t.test('markup in a name stays text', async () => {
    const { body } = await visitor.post('/register', {
      username: '"><script>alert(1)</script>',
      password: PASSWORD,
    });
    assert.ok(!body.includes('<script>alert'));
  });

  await t.test('a form without its fields', async () => {
    assert.equal((await visitor.post('/register', {})).status, 400);
    assert.equal((await visitor.post('/login', {})).status, 400);
    assert.equal(
      (await visitor.request('POST', '/login', 'username[]=x', { 'content-type': 'application/json' }))
        .status,
      400,
    );
  });

  await t.test('a name that is taken', async () => {
    await newPerson(hearth.url, 'taken');
    const { status, body } = await visitor.register('Taken');
    assert.equal(status, 409);
    assert.match(body, /That name is taken/);
  });

  await t.test('a wrong password: 401, one sentence', async () => {
    const { status, body } = await visitor.post('/login', { username: 'taken', password: 'wrong' });
    assert.equal(status, 401);
    assert.match(body, /That name and password don’t match\. Try again\./);
  });

  await t.test('whoever is signed in has no use for the sign-in page', async () => {
    const person = await newPerson(hearth.url, 'inside');
    assert.equal((await person.get('/login')).location, '/');
    assert.equal((await person.get('/')).location, '/groups');
  });

  await t.test('whoever is not is led to it', async () => {
    for (const path of ['/', '/groups', '/groups/1', '/account', '/groups/1/members']) {
      assert.equal(
        (await visitor.get(path)).location,
        path === '/' ? '/login' : `/login?next=${encodeURIComponent(path)}`,
        path,
      );
    }
  });
});
