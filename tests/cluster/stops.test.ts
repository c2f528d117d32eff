import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { newPerson } from '../support/client.ts';
import { startCluster } from '../support/cluster.ts';
import { startHearthProcess, temporaryFolder } from '../support/hearth.ts';
import { startPushService } from '../support/push-service.ts';
import { at } from '../support/reader.ts';
import { startReceiver } from '../support/receiver.ts';
import { until } from '../support/until.ts';

test('what a process that is stopped leaves to be told, the others tell; and they agree on who administers', async (t) => {
  const service = await startPushService(t);
  const cluster = await startCluster(t, { size: 2, env: service.env });
  const [first = '', second = ''] = cluster.urls;
  const ada = await newPerson(first, 'ada', 1);
  const bob = await newPerson(second, 'bob', 1);
  await bob.post('/notifications/devices', service.subscribe('a phone'));
  const receiver = await startReceiver(t);
  await ada.post('/admin/outgoing-settings', { allowedAddresses: '127.0.0.1' });
  const webhook = { name: 'listener', url: receiver.url, trigger: 'message' };
  await ada.post('/groups/1/webhooks/add-outgoing', webhook);
  await until(async () => (await at(ada, second).get('/groups/1/members')).body.includes('listener'));
  // Longer than what comes together after a start.
  await sleep(6_000);
  const socket = await ada.socket('/ws/chat/1');
  await socket.nextJson('hello');
  const before = { webhook: receiver.received.length, push: service.received.length };
  socket.send({ type: 'send', id: randomUUID(), content: 'last words @bob' });
  await socket.nextJson('ack');
  assert.equal(await cluster.process(0).stop(), 0);
  await until(() => receiver.received.length > before.webhook, 'the webhook is told');
  await until(() => service.received.length > before.push, 'the phone is told');
  assert.deepEqual(service.failures, []);
  assert.deepEqual(
    [receiver.received.length - before.webhook, service.received.length - before.push],
    [1, 1],
    'once each',
  );

  assert.equal((await bob.get('/admin')).status, 403);
  await startHearthProcess(t, { env: { ...cluster.environment, ADMIN_USERNAME: 'bob' } });
  await until(async () => (await bob.get('/admin')).status === 200, 'the other process knows it, too');

  // The link to threads is pushed by the process of the socket, whichever process has made the page.
  await bob.post('/groups/1/messages', { content: 'root' });
  const reply = () => at(ada, second).post('/groups/1/messages', { content: 'a reply', replyTo: '2' });
  const pushed = async (act: () => Promise<unknown>) => {
    const page = await bob.socket('/ws', { protocol: 'hearth.html' });
    await page.next((frame) => frame.includes('group-row'));
    await act();
    await until(() => page.frames.some((frame) => /threads-link.*1 with unread/s.test(frame)));
    page.close();
    await page.closed;
  };
  await pushed(reply);
  await bob.get('/groups/1/threads/2');
  await pushed(reply);
});

test('push messages that wait for a slow service are sent before a process stops', async (t) => {
  const service = await startPushService(t);
  const hearth = await startHearthProcess(t, { env: service.env, dataDir: temporaryFolder(t) });
  const ada = await newPerson(hearth.url, 'ada', 1);
  for (const name of ['bob', 'cleo']) {
    const person = await newPerson(hearth.url, name, 1);
    for (let device = 1; device <= 10; device++)
      await person.post('/notifications/devices', service.subscribe(`device ${device}`));
  }
  service.answerAfter(600);
  await ada.post('/groups/1/messages', { content: 'hello @all', confirmed: 'yes' });
  await until(() => service.received.length > 0);
  assert.ok(service.received.length < 20, `${service.received.length} at once`);
  await hearth.stop();
  assert.equal(service.received.length, 20);
});
