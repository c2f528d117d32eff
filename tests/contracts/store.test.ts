import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test, { after } from 'node:test';
import type { Account } from '../../src/accounts/store.ts';
import type { Publish } from '../../src/bus/bus.ts';
import { loadKeyring } from '../../src/crypto/keys.ts';
import { openDatabases } from '../../src/database/open.ts';
import { ChatError } from '../../src/errors.ts';
import type { StoredFile } from '../../src/files/file.ts';
import { followRole, openLine } from '../../src/inbox/lines.ts';
import type { Message, NewMessage } from '../../src/messages/message.ts';
import { openStores as openAll } from '../../src/stores.ts';
import { atEnd, type Ending, temporaryFolder } from '../support/hearth.ts';
import { startPostgres } from '../support/postgres.ts';

/** Every engine that stores run on; each has the whole suite. */
const ENGINES = {
  sqlite: async () => undefined,
  postgres: async () => (await postgres).database(),
};

/** One server for all tests of this file; each has a database of its own. */
const postgres = startPostgres({ after });

async function open(test: Ending, url: string | undefined) {
  const folder = temporaryFolder(test);
  const databases = await openDatabases(folder, url);
  atEnd(test, () => databases.close());
  return openAll(databases, loadKeyring(undefined, folder, true));
}

for (const [engine, urlOf] of Object.entries(ENGINES)) {
  const opened = async (t: Ending) => {
    const stores = await open(t, await urlOf());
    const account = async (username: string): Promise<Account> => {
      const made = await stores.accounts.add({ username, passwordHash: 'none', isAdmin: 'if-first', now: 1 });
      assert.ok(typeof made !== 'string', `${username} is ${made}`);
      return made;
    };
    const [ada, bob] = [await account('ada'), await account('bob')];
    const group = await stores.groups.add({ name: 'Garden', creatorId: ada.id, now: 1 });
    assert.ok(group);
    await stores.groups.join(bob.id, group.id, 1);
    const say = (content: string, more: Partial<NewMessage> = {}): NewMessage => ({
      groupId: group.id,
      id: randomUUID(),
      authorId: ada.id,
      content,
      createdAt: 1,
      ...more,
    });
    const send = async (content: string, more: Partial<NewMessage> = {}): Promise<Message> => {
      const [result] = (await stores.messages.append([say(content, more)])).results;
      assert.ok(result && !(result instanceof ChatError));
      return result.message;
    };
    return { ...stores, ada, bob, group, account, say, send };
  };

  test(`${engine}: accounts are found by their names, changed, and no two look alike`, async (t) => {
    const { accounts, ada, bob } = await opened(t);
    assert.deepEqual([ada.isAdmin, bob.isAdmin], [true, false], 'the first one is an administrator');
    const add = (username: string) =>
      accounts.add({ username, passwordHash: 'none', isAdmin: false, now: 1 });
    assert.deepEqual([await add('ADA'), await add('аdа')], ['taken', 'confusable']);
    assert.equal((await accounts.byName('Bob'))?.id, bob.id);
    assert.equal(await accounts.byId(99), undefined);
    assert.equal(await accounts.setDisplayName(bob.id, 'ada'), false);
    assert.equal(await accounts.setDisplayName(bob.id, 'Bob the Builder'), true);
    await accounts.setLine(bob.id, 'Keeper of the key');
    await accounts.setQuiet(bob.id, { from: 1, to: 2, zone: 'UTC' });
    await accounts.setPicture(bob.id, Buffer.from('picture'));
    const after = await accounts.byId(bob.id);
    assert.deepEqual(
      [after?.name, after?.line, after?.quiet?.to, after?.pictureVersion],
      ['Bob the Builder', 'Keeper of the key', 2, 1],
    );
    assert.equal(String(await accounts.picture(bob.id)), 'picture');
    assert.equal(await accounts.setPassword(bob.id, 'other'), bob.sessionEpoch + 1);
    assert.equal(await accounts.passwordHash(bob.id), 'other');
    assert.deepEqual(
      (await accounts.list(1, bob.id)).map(({ id }) => id),
      [ada.id],
    );
    assert.deepEqual(
      (await accounts.list(1)).map(({ id }) => id),
      [bob.id],
    );
  });

  test(`${engine}: who notifies of which messages is claimed once`, async (t) => {
    const { notificationClaims, groups, bob, group, send } = await opened(t);
    const other = await groups.add({ name: 'Shed', creatorId: bob.id, now: 1 });
    assert.deepEqual(await notificationClaims.unclaimed(), []);
    for (const content of ['one', 'two']) await send(content);
    assert.deepEqual(await notificationClaims.unclaimed(), [group.id]);
    const claim = async (...upTo: number[][]) =>
      [
        ...(await notificationClaims.claim(upTo.map(([groupId = 0, upTo = 0]) => ({ groupId, upTo })))),
      ].flat();
    const tries = await Promise.all(Array.from({ length: 8 }, () => claim([group.id, 2])));
    assert.deepEqual(
      tries.filter((firsts) => firsts.length > 0),
      [[group.id, 1]],
    );
    await send('three');
    assert.deepEqual(await notificationClaims.unclaimed(), [group.id]);
    const otherId = other?.id ?? 0;
    assert.deepEqual(await claim([group.id, 3], [otherId, 1]), [group.id, 3, otherId, 1]);
    assert.deepEqual(await claim([group.id, 2], [otherId, 2]), [otherId, 2]);
    assert.deepEqual(await notificationClaims.unclaimed(), []);
  });

  test(`${engine}: a group has one name, its members, and their marks`, async (t) => {
    const { groups, ada, bob, group, send } = await opened(t);
    assert.equal(await groups.add({ name: 'GARDEN', creatorId: bob.id, now: 1 }), undefined);
    const other = await groups.add({ name: 'Allotment', creatorId: null, now: 1 });
    assert.ok(other);
    assert.deepEqual(
      [await groups.rename(other.id, 'garden'), await groups.rename(99, 'Shed')],
      [false, false],
    );
    assert.equal(await groups.rename(other.id, 'allotment'), true, 'in another case');
    assert.deepEqual(
      (await groups.all()).map(({ name }) => name),
      ['allotment', 'Garden'],
    );
    await send('one');
    await send('two @bob', { mentions: [bob.id] });
    assert.equal(await groups.join(ada.id, group.id, 2), false);
    assert.deepEqual([await groups.members(group.id, 9), await groups.countMembers(group.id)], [[1, 2], 2]);
    assert.deepEqual(await groups.members(group.id, 9, ada.id), [bob.id]);
    assert.equal((await groups.membership(bob.id, group.id))?.lastMentionSeq, 2);
    const mark = (seq: number) => ({ accountId: bob.id, groupId: group.id, seq, now: 3 });
    assert.deepEqual(await groups.markRead([mark(2), mark(1)]), [true, false], 'never back');
    await groups.moveMark(mark(0));
    assert.deepEqual(await groups.membersBefore(group.id, 1, 9), [ada.id, bob.id]);
    await groups.setNotificationLevel(bob.id, group.id, 'everything');
    assert.deepEqual(await groups.notifiedOfEverything(group), [bob.id]);
    assert.deepEqual(
      [await groups.leave(bob.id, group.id), await groups.leave(bob.id, group.id)],
      [true, false],
    );
    const first = await groups.direct([ada.id, bob.id], ada.id, 4);
    const second = await groups.direct([bob.id, ada.id], bob.id, 5);
    assert.deepEqual([first.isNew, second.isNew, second.group.id], [true, false, first.group.id]);
    assert.deepEqual([...(await groups.byIds([group.id, 99])).keys()], [group.id]);
  });

  test(`${engine}: of several who step down at once, one owner and one administrator are left`, async (t) => {
    const { groups, peopleStore, ada, bob, group, account } = await opened(t);
    const jo = await account('jo');
    await groups.join(jo.id, group.id, 1);
    for (const { id } of [ada, bob, jo]) await groups.makeOwner(id, group.id);
    for (const { id } of [bob, jo]) await peopleStore.makeAdmin(id);
    const ids = [ada.id, bob.id, jo.id];
    const owners = await Promise.all(ids.map((id) => groups.removeOwner(id, group.id)));
    assert.deepEqual(owners.filter(Boolean).length, 2);
    assert.equal((await groups.owners(group.id)).length, 1);
    for (const { id } of [ada, bob]) await groups.makeOwner(id, group.id);
    await groups.leave(jo.id, group.id);
    await groups.join(jo.id, group.id, 1);
    const left = await Promise.all([ada, bob].map(({ id }) => groups.leaveUnlessLastOwner(id, group.id)));
    assert.deepEqual(left.filter(Boolean).length, 1);
    assert.equal((await groups.owners(group.id)).length, 1);
    const admins = await Promise.all(ids.map((id) => peopleStore.removeAdmin(id)));
    assert.deepEqual(admins.filter(Boolean).length, 2);
    assert.equal((await peopleStore.counts()).admins, 1);
  });

  test(`${engine}: of somebody who is removed and made an owner at once, one holds`, async (t) => {
    const { groups, bob, group } = await opened(t);
    for (let round = 0; round < 20; round++) {
      await groups.join(bob.id, group.id, 1);
      const isOwnerFirst = round % 2 === 0;
      const make = () => groups.makeOwner(bob.id, group.id);
      const remove = () => groups.leave(bob.id, group.id, false);
      const done = await Promise.all(isOwnerFirst ? [make(), remove()] : [remove(), make()]);
      assert.equal(done.filter(Boolean).length, 1);
      const [isOwner] = isOwnerFirst ? done : done.toReversed();
      assert.equal((await groups.owners(group.id)).includes(bob.id), isOwner);
      assert.equal((await groups.membership(bob.id, group.id)) !== undefined, isOwner);
      await groups.leave(bob.id, group.id);
    }
  });

  test(`${engine}: whoever becomes an administrator while a private line is opened is in it`, async (t) => {
    const stores = await opened(t);
    const { peopleStore, groups, ada, bob, account } = stores;
    const jo = await account('jo');
    const joined: number[] = [];
    const publish: Publish = (_type, payload) =>
      void joined.push((payload as { accountId: number }).accountId);
    const line = groups.line.bind(groups);
    t.mock.method(groups, 'line', async (...args: Parameters<typeof line>) => {
      await peopleStore.makeAdmin(bob.id);
      await followRole({ ...stores, publish }, bob.id);
      return line(...args);
    });
    const id = await openLine({ ...stores, publish }, jo);
    assert.deepEqual(await groups.members(id, 9), [ada.id, bob.id, jo.id]);
    assert.deepEqual(joined.toSorted(), [ada.id, bob.id, jo.id], 'each is told once');
  });

  test(`${engine}: messages that many write at once are numbered without gaps, each once`, async (t) => {
    const { messages, groups, ada, bob, group, say } = await opened(t);
    const other = await groups.add({ name: 'Kitchen', creatorId: ada.id, now: 1 });
    assert.ok(other);
    const ids = Array.from({ length: 60 }, () => randomUUID());
    const tried = [...ids, ...ids].map((id, index) =>
      say(`message ${index}`, { id, authorId: bob.id, ...(ids.indexOf(id) % 2 && { groupId: other.id }) }),
    );
    // Two tries of a message that meet in one moment: the one that comes too late is tried again, as the writer does.
    const append = (one: NewMessage) => messages.append([one]).catch(() => messages.append([one]));
    const results = (await Promise.all(tried.map(append))).flatMap(({ results }) => results);
    assert.ok(results.every((result) => !(result instanceof ChatError)));
    for (const { id } of [group, other]) {
      const written = await messages.between(id, 1, 1_000);
      const numbers = Array.from({ length: 30 }, (_, index) => index + 1);
      assert.deepEqual(
        written.map((message) => message.seq),
        numbers,
      );
      assert.deepEqual(
        written.map((message) => message.change),
        numbers,
      );
      assert.equal((await groups.byId(id))?.lastSeq, 30);
    }
  });

  test(`${engine}: messages are numbered without gaps, once each, and changed in order`, async (t) => {
    const { messages, groups, ada, bob, group, say, send } = await opened(t);
    const twice = say('first');
    const taken = { ...twice, authorId: bob.id };
    const { results, written } = await messages.append([twice, { ...twice }, taken, say('second')]);
    assert.deepEqual(
      results.map((result) =>
        result instanceof ChatError ? result.code : [result.message.seq, result.isNew],
      ),
      [[1, true], [1, false], 'id_taken', [2, true]],
    );
    assert.deepEqual(
      written.map(({ seq, change }) => [seq, change]),
      [
        [1, 1],
        [2, 2],
      ],
    );
    const reply = await send('a reply', { authorId: bob.id, replyTo: 1, thread: 1 });
    assert.deepEqual([reply.seq, reply.change, (await messages.bySeq(group.id, 1))?.change], [3, 3, 4]);
    const amend = (message: Message) => ({ ...message, content: 'changed', editedAt: 9 });
    const amended = await messages.amend([
      { groupId: group.id, seq: 2, amend },
      { groupId: group.id, seq: 3, amend: (message) => message },
      { groupId: group.id, seq: 9, amend },
    ]);
    assert.deepEqual(
      amended.results.map((result) =>
        result instanceof ChatError ? result.code : [result.seq, result.change],
      ),
      [[2, 5], [3, 3], 'not_found'],
    );
    assert.deepEqual(await messages.changesAfter(group.id, 2, 9), [
      { seq: 3, change: 3 },
      { seq: 1, change: 4 },
      { seq: 2, change: 5 },
    ]);
    assert.deepEqual(
      (await messages.bySeqs(group.id, [1, 2, 9])).map(({ content }) => content),
      ['first', 'changed'],
    );
    const second = await messages.bySeq(group.id, 2);
    assert.deepEqual(second && (await messages.revisions(second)).map(({ content }) => content), ['second']);
    await messages.amend([
      { groupId: group.id, seq: 2, amend: (message) => ({ ...message, content: '', removedAt: 10 }) },
    ]);
    assert.deepEqual(second && (await messages.revisions(second)), []);
    assert.equal((await groups.membership(bob.id, group.id))?.removedUnread, 1);
    const now = await groups.byId(group.id);
    assert.deepEqual([now?.lastSeq, now?.lastChange], [3, 6]);
    assert.equal((await messages.byId(twice.id))?.authorId, ada.id);
  });

  test(`${engine}: what somebody wrote who is gone is answered like anything else`, async (t) => {
    const { send, messages, group } = await opened(t);
    const { seq } = await send('by an account that was deleted', { authorId: 99 });
    await send('an answer', { replyTo: seq, thread: seq });
    assert.equal((await messages.bySeq(group.id, seq))?.replyCount, 1);
  });

  test(`${engine}: threads are followed by those who write in them, until they leave them alone`, async (t) => {
    const { threads, messages, ada, bob, group, send } = await opened(t);
    await send('a question');
    await send('an answer', { authorId: bob.id, replyTo: 1, thread: 1 });
    assert.deepEqual((await threads.followers(group.id, 1)).sort(), [ada.id, bob.id]);
    const [followed] = await threads.followedBy(ada.id, 9);
    assert.deepEqual([followed?.seq, followed?.unread], [1, 1]);
    assert.equal(await threads.markRead(ada.id, group.id, 1, 2), true);
    assert.equal(await threads.markRead(ada.id, group.id, 1, 1), false);
    await threads.follow(ada.id, group.id, 1, false, 2);
    await send('another answer', { authorId: bob.id, replyTo: 2, thread: 1 });
    assert.equal(await threads.isFollowing(ada.id, group.id, 1), false);
    assert.deepEqual(
      (await messages.inThread(group.id, 1, 9)).map(({ seq }) => seq),
      [2, 3],
    );
  });

  test(`${engine}: a file belongs to one message, and a draft, a bookmark and a receipt to one account`, async (t) => {
    const { files, drafts, saved, playbackReceipts, messages, ada, bob, group, say } = await opened(t);
    const file: StoredFile = {
      id: randomUUID(),
      groupId: group.id,
      accountId: ada.id,
      seq: null,
      size: 3,
      createdAt: 1,
      key: Buffer.alloc(32),
      name: 'a.txt',
      type: 'text/plain',
      width: null,
      height: null,
      thumbnailSize: null,
    };
    await files.add(file);
    const attachment = {
      id: file.id,
      name: 'a.txt',
      type: 'text/plain',
      size: 3,
    } as Message['files'][number];
    const two = [say('', { files: [attachment] }), say('', { files: [attachment] })];
    const { results } = await messages.append(two);
    assert.deepEqual(
      results.map((result) => (result instanceof ChatError ? result.code : result.message.seq)),
      [1, 'not_found'],
    );
    assert.deepEqual([(await files.byId(file.id))?.seq, await files.removeUnsent(file.id)], [1, false]);
    assert.deepEqual(
      [await files.bytesOf(ada.id), await files.bytesOf(bob.id), await files.bytes()],
      [3, 0, 3],
    );
    assert.deepEqual([...(await files.existing([file.id, randomUUID()]))], [file.id]);

    const at = (thread: number) => ({ accountId: ada.id, groupId: group.id, thread });
    for (const thread of [0, 1, 2]) await drafts.write(at(thread), `draft ${thread}`, thread);
    assert.deepEqual(await drafts.keepNewest(ada.id, 2), [at(0)]);
    assert.deepEqual([await drafts.read(at(0)), await drafts.read(at(2))], ['', 'draft 2']);
    await drafts.write(at(2), '', 9);
    assert.equal(await drafts.read(at(2)), '');

    await saved.set(ada.id, group.id, 1, true, 5);
    assert.deepEqual(
      [await saved.isSaved(ada.id, group.id, 1), await saved.isSaved(bob.id, group.id, 1)],
      [true, false],
    );
    assert.equal((await saved.before(ada.id, 6, 9))[0]?.seq, 1);
    for (const seq of [2, 3]) await saved.set(ada.id, group.id, seq, true, 5);
    const [last] = await saved.before(ada.id, 100, 1);
    const others = await saved.before(ada.id, last?.savedAt ?? 0, 9);
    assert.deepEqual([last?.seq, ...others.map(({ seq }) => seq)], [3, 2, 1], 'none is between two pages');
    assert.deepEqual(
      [
        await playbackReceipts.add(group.id, 1, bob.id, 1),
        await playbackReceipts.add(group.id, 1, bob.id, 2),
      ],
      [true, false],
    );
    assert.deepEqual(await playbackReceipts.of(group.id, 1, 9), [bob.id]);
  });

  test(`${engine}: a recording is claimed by one of many who ask, the oldest first`, async (t) => {
    const { transcriptions, ada } = await opened(t);
    const ids = Array.from({ length: 5 }, () => randomUUID());
    for (const [index, id] of ids.entries()) await transcriptions.add(id, ada.id, index);
    const claims = await Promise.all(Array.from({ length: 8 }, () => transcriptions.claim(9, 1_000)));
    const claimed = claims.filter((claim) => claim !== undefined);
    assert.deepEqual(claimed.map((claim) => claim.fileId).sort(), ids.toSorted(), 'each by one');
    assert.deepEqual([claimed[0]?.state, claimed[0]?.attempts], ['working', 1]);
    for (const id of [ids[3], ids[1]]) await transcriptions.change(id ?? '', { state: 'waiting', dueAt: 9 });
    const next = [await transcriptions.claim(9, 1_000), await transcriptions.claim(9, 1_000)];
    assert.deepEqual(
      next.map((claim) => claim?.fileId),
      [ids[1], ids[3]],
      'the oldest first',
    );
    await transcriptions.change(ids[2] ?? '', { state: 'waiting', dueAt: 100 });
    assert.deepEqual(
      [await transcriptions.claim(99, 1_000), await transcriptions.nextDue()],
      [undefined, 100],
    );
    assert.deepEqual(await transcriptions.abandoned(999), []);
    await transcriptions.renew(ids[0] ?? '', 2_000);
    assert.equal(
      (await transcriptions.abandoned(1_000)).length,
      3,
      'claimed and neither renewed nor given back',
    );
    assert.equal((await transcriptions.strays()).length, 5, 'none of them has a file');
  });

  test(`${engine}: a device belongs to the session that added it last`, async (t) => {
    const { devices, ada, bob } = await opened(t);
    const device = (endpoint: string, accountId = ada.id) => ({
      accountId,
      endpoint,
      p256dh: 'p',
      auth: 'a',
      label: 'A phone',
      createdAt: 1,
    });
    await devices.add(device('https://push.example/1'), 'first');
    await devices.add(device('https://push.example/1', bob.id), 'second');
    assert.deepEqual([await devices.has(ada.id), await devices.has(bob.id)], [false, true]);
    const [kept] = await devices.of(bob.id);
    assert.equal(await devices.remove(ada.id, kept?.id ?? 0), false, 'somebody else’s');
    await devices.removeOfSession('first');
    assert.equal(await devices.has(bob.id), true);
    await devices.removeOfSession('second');
    assert.equal(await devices.has(bob.id), false);
    for (let number = 0; number < 15; number++)
      await devices.add(device(`https://push.example/${number}`), 's');
    assert.equal((await devices.of(ada.id)).length, 12, 'the newest');
  });
}
