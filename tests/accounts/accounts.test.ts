import assert from 'node:assert/strict';
import test from 'node:test';
import { changePassword } from '../../src/accounts/change-password.ts';
import { sessionsEnded } from '../../src/accounts/events.ts';
import { register, registration } from '../../src/accounts/register.ts';
import { signIn } from '../../src/accounts/sign-in.ts';
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
  const ended = stores.heard(sessionsEnded);
  const account = await register(dependencies, { username: 'mina', password: PASSWORD });
  await assert.rejects(
    changePassword(dependencies, account, { current: 'wrong', password: 'new password' }),
    { status: 403 },
  );
  assert.deepEqual(ended, []);
  const epoch = await changePassword(dependencies, account, { current: PASSWORD, password: 'new password' });
  assert.equal(epoch, account.sessionEpoch + 1);
  assert.deepEqual(ended, [{ accountId: account.id }]);
  await assert.rejects(signIn(dependencies, { username: 'mina', password: PASSWORD }), { status: 401 });
  assert.equal(
    (await signIn(dependencies, { username: 'mina', password: 'new password' })).sessionEpoch,
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
