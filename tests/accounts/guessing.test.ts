import assert from 'node:assert/strict';
import test from 'node:test';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';

test('guessing locks out the one who guesses, not the owner and not the school', async (t) => {
  const hearth = await startHearth(t, { env: { RATE_LIMITS: 'on', TRUSTED_PROXIES: 'loopback' } });
  const from = (address: string) =>
    new Visitor(hearth.url, { 'x-forwarded-for': address, 'x-forwarded-proto': 'http' });
  const tries = async (visitor: Visitor, username: string, count: number) => {
    const answers = [];
    for (let round = 0; round < count; round++)
      answers.push((await visitor.post('/login', { username, password: `guess number ${round}` })).status);
    return answers;
  };
  const owner = from('198.51.100.1');
  assert.equal((await owner.register('owner')).status, 303);
  await owner.post('/logout');

  // From twelve addresses, ten tries each: more than the name's ceiling.
  await Promise.all(Array.from({ length: 12 }, (_, index) => tries(from(`203.0.113.${index}`), 'owner', 10)));
  const stranger = from('192.0.2.77');
  assert.equal((await stranger.post('/login', { username: 'owner', password: PASSWORD })).status, 429);
  const answer = await owner.post('/login', { username: 'owner', password: PASSWORD });
  assert.equal(answer.status, 303, 'the browser in which the owner has signed in before lets them in');

  await owner.post('/logout');
  assert.equal((await tries(owner, 'owner', 11)).at(-1), 429, 'the device has a budget of its own');

  // One pupil tries many names from the school's address; another signs in for the first time.
  const pupil = await newPerson(hearth.url, 'pupil');
  assert.ok(pupil);
  const school = () => from('198.51.100.200');
  await Promise.all(Array.from({ length: 8 }, (_, index) => tries(school(), `someone${index}`, 8)));
  assert.equal((await school().post('/login', { username: 'pupil', password: PASSWORD })).status, 303);
  assert.equal((await tries(school(), 'someone1', 1))[0], 429);
});

test('a device’s cookie of one account opens no budget for another, and a forged one none at all', async (t) => {
  const hearth = await startHearth(t, { env: { RATE_LIMITS: 'on' } });
  const ada = await newPerson(hearth.url, 'ada');
  await newPerson(hearth.url, 'mina');
  const wrong = (visitor: Visitor) => visitor.post('/login', { username: 'mina', password: 'wrong wrong' });
  for (let round = 0; round < 10; round++) await wrong(new Visitor(hearth.url));
  assert.equal((await wrong(ada)).status, 429);
  const forged = new Visitor(hearth.url);
  forged.cookies.set('hearth-device', `${'a'.repeat(22)}.2.${'b'.repeat(43)}`);
  assert.equal((await wrong(forged)).status, 429);
});
