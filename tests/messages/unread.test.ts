import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import { openGroup } from '../../src/groups/access.ts';
import { createGroup } from '../../src/groups/create.ts';
import { joinGroup } from '../../src/groups/join.ts';
import { unreadOf } from '../../src/groups/present.ts';
import { Hub } from '../../src/live/hub.ts';
import { sendMessage } from '../../src/messages/send.ts';
import { countUnread } from '../../src/receipts/count-unread.ts';
import { createReadMarks, markRead } from '../../src/receipts/mark-read.ts';
import { openStores } from '../support/stores.ts';

test('what somebody wrote is read by them, in however many groups at once; what others wrote is not', async (t) => {
  const stores = await openStores(t);
  const hub = new Hub();
  t.after(() => hub.close());
  const marks = createReadMarks(stores);
  const failures: unknown[] = [];
  const unread = countUnread({ ...stores, hub, marks, report: (error) => failures.push(error) });
  const [ada, joe] = [await stores.account('ada'), await stores.account('joe')];
  const groups = [];
  for (let number = 0; number < 40; number++)
    groups.push(await createGroup(stores, ada, { name: `Group ${number}` }));
  for (const group of groups) await joinGroup(stores, joe, group.id);

  for (let round = 0; round < 30; round++) {
    await Promise.all(
      groups.map(async (group) =>
        sendMessage(stores, await openGroup(stores.groups, ada, group.id), {
          id: randomUUID(),
          content: `round ${round}`,
        }),
      ),
    );
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
  await unread.flush();

  const count = async (account: typeof ada, id: number) => {
    const { group, membership } = await openGroup(stores.groups, account, id);
    return unreadOf(group, membership);
  };
  for (const group of groups)
    assert.deepEqual([await count(ada, group.id), await count(joe, group.id)], [0, 30], group.name);
  const [first] = groups;
  if (first) await markRead({ ...stores, marks }, await openGroup(stores.groups, joe, first.id), 12);
  assert.equal(await count(joe, first?.id ?? 0), 18);
  assert.deepEqual(failures, []);
});
