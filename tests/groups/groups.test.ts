import assert from 'node:assert/strict';
import test from 'node:test';
import { openGroup } from '../../src/groups/access.ts';
import { createGroup, groupName, seedGroups } from '../../src/groups/create.ts';
import { groupCreated, groupRenamed, memberJoined, memberLeft } from '../../src/groups/events.ts';
import { joinGroup } from '../../src/groups/join.ts';
import { leaveGroup } from '../../src/groups/leave.ts';
import { refuseSettings } from '../../src/groups/policies.ts';
import { renameGroup } from '../../src/groups/rename.ts';
import { openStores } from '../support/stores.ts';

test('a first start seeds General and Random, and a later one nothing', async (t) => {
  const { groups } = await openStores(t);
  await seedGroups(groups);
  await seedGroups(groups);
  assert.deepEqual(
    (await groups.all()).map((group) => group.name),
    ['General', 'Random'],
  );
});

test('whoever makes a group is in it, and everyone hears of it', async (t) => {
  const stores = await openStores(t);
  const created = stores.recordEvents(groupCreated);
  const ada = await stores.account('ada');
  const group = await createGroup(stores, ada, { name: 'Garden' });
  assert.equal((await openGroup(stores.groups, ada, group.id)).group.name, 'Garden');
  assert.deepEqual(created, [{ groupId: group.id }]);
});

test('a name is taken in any case, by a new group and by a renamed one', async (t) => {
  const stores = await openStores(t);
  const ada = await stores.account('ada');
  const garden = await createGroup(stores, ada, { name: 'Garden' });
  const market = await createGroup(stores, ada, { name: 'Market' });
  await assert.rejects(createGroup(stores, ada, { name: 'gARDEN' }), { code: 'name_taken', status: 409 });
  const open = await openGroup(stores.groups, ada, market.id);
  await assert.rejects(renameGroup(stores, open, { name: 'GARDEN' }), { code: 'name_taken' });
  await renameGroup(stores, await openGroup(stores.groups, ada, garden.id), { name: 'GARDEN' });
  assert.equal((await stores.groups.byId(garden.id))?.name, 'GARDEN');
});

test('owners and administrators in a group rename it; a member does not', async (t) => {
  const stores = await openStores(t);
  const renamed = stores.recordEvents(groupRenamed);
  const [ada, jo, boss] = [
    await stores.account('ada'),
    await stores.account('jo'),
    await stores.account('boss', true),
  ];
  const { id } = await createGroup(stores, ada, { name: 'Garden' });
  for (const account of [jo, boss]) await joinGroup(stores, account, id);
  const as = (account: typeof ada) => openGroup(stores.groups, account, id);
  const refusals = (await Promise.all([ada, boss, jo].map(as))).map((open) => refuseSettings(open)?.status);
  assert.deepEqual(refusals, [undefined, undefined, 403]);
  await renameGroup(stores, await as(ada), { name: 'Beds' });
  await renameGroup(stores, await as(boss), { name: 'Flower beds' });
  assert.equal(renamed.length, 2);
});

test('a group opens for members only: 403 for others, 404 where there is none', async (t) => {
  const stores = await openStores(t);
  const [ada, jo] = [await stores.account('ada'), await stores.account('jo')];
  const { id } = await createGroup(stores, ada, { name: 'Garden' });
  await assert.rejects(openGroup(stores.groups, jo, id), { status: 403 });
  await assert.rejects(openGroup(stores.groups, ada, 999), { status: 404 });
  await assert.rejects(joinGroup(stores, jo, 999), { status: 404 });
});

test('joining twice is joining once, and leaving ends it', async (t) => {
  const stores = await openStores(t);
  const joined = stores.recordEvents(memberJoined);
  const left = stores.recordEvents(memberLeft);
  const [ada, jo] = [await stores.account('ada'), await stores.account('jo')];
  const { id } = await createGroup(stores, ada, { name: 'Garden' });
  await joinGroup(stores, jo, id);
  await joinGroup(stores, jo, id);
  assert.equal(await stores.groups.countMembers(id), 2);
  await leaveGroup(stores, jo, id);
  await leaveGroup(stores, jo, id);
  assert.deepEqual([joined.length, left.length], [1, 1]);
  await assert.rejects(openGroup(stores.groups, jo, id), { status: 403 });
  assert.deepEqual(await stores.groups.members(id, 10), [ada.id]);
});

test('names keep to 1 to 100 characters of one line', () => {
  const parse = (name: string) => groupName.safeParse({ name });
  assert.equal(parse('  two \n words ').data?.name, 'two words');
  assert.ok(parse('🌱'.repeat(100)).success);
  for (const name of ['', '   ', '\n', 'x'.repeat(101), '\u200b', '\u3164'])
    assert.ok(!parse(name).success, JSON.stringify(name));
});

test('a mark of what was read moves forward only', async (t) => {
  const stores = await openStores(t);
  const ada = await stores.account('ada');
  const { id } = await createGroup(stores, ada, { name: 'Garden' });
  const mark = (seq: number) => stores.groups.markRead([{ accountId: ada.id, groupId: id, seq, now: 1 }]);
  assert.deepEqual(
    [await mark(5), await mark(3), await mark(5), await mark(6)],
    [[true], [false], [false], [true]],
  );
  assert.equal((await stores.groups.membershipsOf(ada.id)).get(id)?.readSeq, 6);
});
