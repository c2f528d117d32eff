import assert from 'node:assert/strict';
import test from 'node:test';
import { changePassword } from '../../src/accounts/change-password.ts';
import { sessionsEnded } from '../../src/accounts/events.ts';
import { register, registration } from '../../src/accounts/register.ts';
import { signIn } from '../../src/accounts/sign-in.ts';
import { LOWEST_COST } from '../support/hearth.ts';
import { openStores, realPasswords } from '../support/stores.ts';

const PASSWORD = 'correct horse battery';

test('registers somebody, who then signs in with any spelling of the name', async (t) => {
  const stores = await openStores(t);
  const dependencies = { ...stores, passwords: realPasswords(t), adminUsername: undefined };
  const account = await register(dependencies, { username: 'Zoë', password: PASSWORD });
  assert.equal((await signIn(dependencies, { username: 'ZOË', password: PASSWORD })).id, account.id);
  assert.equal((await stores.accounts.byId(account.id))?.username, 'Zoë');
});

test('refuses a name that is taken in another case, and leaves the first account alone', async (t) => {
  const stores = await openStores(t);
  const dependencies = { ...stores, passwords: realPasswords(t), adminUsername: undefined };
  await register(dependencies, { username: 'mina', password: PASSWORD });
  await assert.rejects(register(dependencies, { username: 'MINA', password: 'another one' }), {
    code: 'name_taken',
    status: 409,
  });
  assert.ok(await signIn(dependencies, { username: 'mina', password: PASSWORD }));
});

test('a hash of another cost is replaced when somebody signs in, and they stay signed in elsewhere', async (t) => {
  const stores = await openStores(t);
  const before = { ...stores, passwords: realPasswords(t), adminUsername: undefined };
  const { id, sessionEpoch } = await register(before, { username: 'mina', password: PASSWORD });
  const after = { ...before, passwords: realPasswords(t, LOWEST_COST + 1) };
  await assert.rejects(signIn(after, { username: 'mina', password: 'wrong' }), { status: 401 });
  assert.match((await stores.accounts.passwordHash(id)) ?? '', /^\$2b\$04\$/);
  await signIn(after, { username: 'mina', password: PASSWORD });
  const hash = await stores.accounts.passwordHash(id);
  assert.match(hash ?? '', /^\$2b\$05\$/);
  const { sessionEpoch: epoch } = await signIn(after, { username: 'mina', password: PASSWORD });
  assert.deepEqual([epoch, await stores.accounts.passwordHash(id)], [sessionEpoch, hash]);
});

test('says the same of a wrong password and an unknown name', async (t) => {
  const stores = await openStores(t);
  const dependencies = { ...stores, passwords: realPasswords(t), adminUsername: undefined };
  await register(dependencies, { username: 'mina', password: PASSWORD });
  const failure = (username: string) =>
    signIn(dependencies, { username, password: 'wrong' }).catch((error: Error) => ({
      ...error,
      message: error.message,
    }));
  assert.deepEqual(await failure('mina'), await failure('nobody'));
});

test('the first account is an administrator, the second is not', async (t) => {
  const stores = await openStores(t);
  const dependencies = { ...stores, passwords: realPasswords(t), adminUsername: undefined };
  assert.equal((await register(dependencies, { username: 'first', password: PASSWORD })).isAdmin, true);
  assert.equal((await register(dependencies, { username: 'second', password: PASSWORD })).isAdmin, false);
});

test('where a name is set for the administrator, that account is the one, whenever it comes', async (t) => {
  const stores = await openStores(t);
  const dependencies = { ...stores, passwords: realPasswords(t), adminUsername: 'Boss' };
  assert.equal((await register(dependencies, { username: 'first', password: PASSWORD })).isAdmin, false);
  assert.equal((await register(dependencies, { username: 'boss', password: PASSWORD })).isAdmin, true);
});

test('a changed password lets in by the new one only, and ends every session', async (t) => {
  const stores = await openStores(t);
  const dependencies = { ...stores, passwords: realPasswords(t), adminUsername: undefined };
  const ended = stores.recordEvents(sessionsEnded);
  const account = await register(dependencies, { username: 'mina', password: PASSWORD });
  await assert.rejects(
    changePassword(dependencies, account, { current: 'wrong', password: 'another long one' }),
    { status: 403 },
  );
  assert.deepEqual(ended, []);
  const epoch = await changePassword(dependencies, account, {
    current: PASSWORD,
    password: 'another long one',
  });
  assert.equal(epoch, account.sessionEpoch + 1);
  assert.deepEqual(ended, [{ accountId: account.id }]);
  await assert.rejects(signIn(dependencies, { username: 'mina', password: PASSWORD }), { status: 401 });
  assert.equal(
    (await signIn(dependencies, { username: 'mina', password: 'another long one' })).sessionEpoch,
    epoch,
  );
});

test('names and passwords keep to their limits, counted in characters', () => {
  const fits = (username: string, password: string) => registration.safeParse({ username, password }).success;
  assert.ok(fits('abc', '12345678'));
  assert.ok(fits('a.b_c-9', 'x'.repeat(256)));
  assert.ok(fits('x'.repeat(50), '🌱'.repeat(8)));
  for (const name of [
    'ab',
    'x'.repeat(51),
    'a b c',
    'a/b',
    '<script>',
    '',
    'abc\u0000',
    '\u3164\u3164\u3164',
  ])
    assert.ok(!fits(name, '12345678'), name);
  for (const word of ['1234567', 'x'.repeat(257), '']) assert.ok(!fits('abc', word), word);
});

test('refuses common passwords and the name as password, at registration and at a change', async (t) => {
  const stores = await openStores(t);
  const dependencies = { ...stores, passwords: realPasswords(t), adminUsername: undefined };
  for (const password of [
    'password',
    '12345678',
    'qwertyuiop',
    'iloveyou',
    'sunshine',
    'princess',
    'football',
    'Password1',
    'trustno1',
  ])
    await assert.rejects(
      register(dependencies, { username: 'mina', password }),
      { code: 'weak', field: 'password' },
      password,
    );
  await assert.rejects(register(dependencies, { username: 'Rosemary.Bell', password: 'rosemary.bell' }), {
    code: 'weak',
  });
  const account = await register(dependencies, { username: 'mina', password: PASSWORD });
  await assert.rejects(changePassword(dependencies, account, { current: PASSWORD, password: '12345678' }), {
    code: 'weak',
  });
});

test('refuses names that cannot be told from another, cannot be seen, or call everybody', async (t) => {
  const stores = await openStores(t);
  const dependencies = { ...stores, passwords: realPasswords(t), adminUsername: undefined };
  await register(dependencies, { username: 'alice', password: PASSWORD });
  await register(dependencies, { username: 'Zoë', password: PASSWORD });
  const refusal = (username: string) =>
    registration.safeParse({ username, password: PASSWORD }).error?.issues[0]?.message;
  for (const name of [
    'alice\uFE0F',
    'al\u034Fice',
    '\u180b\u180c\u180d',
    '...',
    'аlice',
    'all',
    'Everyone',
    'here',
    'system',
    'аll',
  ])
    assert.ok(refusal(name), name);
  assert.match(refusal('Mary Smith') ?? '', /no spaces.*a setting of your account/);
  for (const name of ['Ольга', '田中太郎', 'محمد', 'Zoe', 'Ian', 'Lan']) {
    assert.equal(refusal(name), undefined, name);
    await register(dependencies, { username: name, password: PASSWORD });
  }
  // Greek letters throughout, which look like Latin ones.
  await register(dependencies, { username: 'OAK', password: PASSWORD });
  await assert.rejects(register(dependencies, { username: 'ΟΑΚ', password: PASSWORD }), {
    code: 'name_taken',
    message: /looks like/,
  });
});

test('a display name may have spaces, is shown, and is nobody else’s', async (t) => {
  const stores = await openStores(t);
  const mary = await stores.account('mary.smith');
  await stores.account('alice');
  assert.equal(mary.name, 'mary.smith');
  assert.equal(await stores.accounts.setDisplayName(mary.id, 'Mary Smith'), true);
  assert.equal((await stores.accounts.byId(mary.id))?.name, 'Mary Smith');
  assert.equal(await stores.accounts.setDisplayName(mary.id, 'ALICE'), false);
  const jo = await stores.account('jo.brown');
  assert.equal(await stores.accounts.setDisplayName(jo.id, 'Mary Smith'), false);
  assert.equal(await stores.accounts.setDisplayName(mary.id, ''), true);
  assert.equal((await stores.accounts.byId(mary.id))?.name, 'mary.smith');
});
