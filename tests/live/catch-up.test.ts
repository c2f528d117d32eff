import assert from 'node:assert/strict';
import test from 'node:test';
import { newPerson } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';

const ROUNDS = 12;
/** Drawn by a worker, which takes a while: time in which others write. */
const CODE = '```js\nconst leeks = "grow"; // slowly\n```';

test('who connects while others write gets every change, in order', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const joe = await newPerson(hearth.url, 'joe', 1);
  let last = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const after = last;
    await ada.post('/groups/1/messages', { content: `${CODE}\n${round}` });
    const [socket] = await Promise.all([
      joe.socket(`/ws/chat/1?after=${after}`, { protocol: 'hearth.html' }),
      ...Array.from({ length: 4 }, (_, number) =>
        ada.post('/groups/1/messages', { content: `${CODE}\n${round} ${number}` }),
      ),
    ]);
    await ada.post('/groups/1/messages', { content: `the last of round ${round}` });
    await socket.next((text) => text.includes(`the last of round ${round}<`));
    const changes = socket.frames.flatMap((frame) =>
      [...frame.matchAll(/ data-live="message"[^>]* data-change="(\d+)"/g)].map((match) => Number(match[1])),
    );
    last = after + 6;
    assert.deepEqual(
      changes,
      Array.from({ length: 6 }, (_, index) => after + 1 + index),
      `round ${round}`,
    );
    socket.close();
  }
});
