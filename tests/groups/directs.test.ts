import assert from 'node:assert/strict';
import test from 'node:test';
import { newPerson, type Visitor } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';

/** Opens a direct conversation by form. @returns its path */
async function direct(person: Visitor, ...ids: number[]): Promise<string> {
  const body = new URLSearchParams(ids.map((id) => ['with', String(id)])).toString();
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  return (await person.request('POST', '/direct', body, type)).location;
}

test('the same people have one direct conversation, whoever opens it, and nobody else knows of it', async (t) => {
  const hearth = await startHearth(t);
  const [ada, jo, eve] = [
    await newPerson(hearth.url, 'ada'),
    await newPerson(hearth.url, 'joe'),
    await newPerson(hearth.url, 'eve'),
  ];
  const path = await direct(ada, 2);
  assert.match(path, /^\/groups\/\d+$/);
  assert.equal(await direct(jo, 1), path, 'the other one opens the same');
  assert.equal(await direct(ada, 2, 2, 1), path, 'oneself and twice is once');
  assert.notEqual(await direct(ada, 2, 3), path, 'a third person makes another one');

  assert.match(
    (await ada.get(path)).body,
    /<h1><a [^>]*data-group-name>joe<\/a><\/h1>/,
    'it is called after the other',
  );
  assert.doesNotMatch(
    (await jo.get('/groups')).body,
    new RegExp(`href="${path}"`),
    'before anything is said',
  );
  const overview = await jo.socket('/ws', { protocol: 'hearth.html' });
  await ada.post(`${path}/messages`, { content: 'between us' });
  await overview.next((text) => text.includes(`href="${path}"`) && text.includes('data-into="my-directs"'));
  const page = await jo.get(path);
  assert.match(page.body, /<h1><a [^>]*data-group-name>ada<\/a><\/h1>/);
  assert.match(page.body, /between us/);

  const id = path.split('/').pop();
  for (const answer of [
    await eve.get(path),
    await eve.post(`${path}/join`),
    await eve.post(`${path}/messages`, { content: 'let me in' }),
    await eve.get(`${path}/messages`),
    await eve.get(`${path}/members`),
    await eve.get(`${path}/messages/1`),
    await eve.post(`${path}/leave`),
  ])
    assert.equal(answer.status, 404);
  const refused = await eve.socket(`/ws/chat/${id}`);
  assert.equal((await refused.closed).code, 4403);
  assert.ok(!(await eve.get('/groups')).body.includes(`href="${path}"`));
  assert.equal((await ada.post(`${path}/leave`)).status, 403);
  assert.equal((await ada.post(`${path}/rename`, { name: 'Ours' })).status, 403);
});

test('a direct conversation has at most eight people, who are there; alone it is for notes', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  for (let index = 2; index <= 9; index++) await newPerson(hearth.url, `person${index}`);
  const form = (with_: string) =>
    ada.request('POST', '/direct', with_, { 'content-type': 'application/x-www-form-urlencoded' });
  const many = await form([2, 3, 4, 5, 6, 7, 8, 9].map((id) => `with=${id}`).join('&'));
  assert.equal(many.status, 400);
  assert.match(many.body, /at most 8 people/);
  assert.match(many.body, /value="9" checked/, 'who was chosen is still chosen');
  assert.equal((await form([2, 3, 4, 5, 6, 7, 8].map((id) => `with=${id}`).join('&'))).status, 303);
  assert.equal((await form('')).status, 400);
  assert.equal((await form('with=99')).status, 404);
  assert.match(
    (await ada.get(await direct(ada, 1))).body,
    /<h1><a [^>]*data-group-name>ada \(you\)<\/a><\/h1>/,
  );
  const profile = await ada.get('/people/2');
  assert.match(profile.body, /Message person2/);
  assert.equal((await ada.get('/people/99')).status, 404);
});
