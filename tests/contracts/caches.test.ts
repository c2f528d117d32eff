import assert from 'node:assert/strict';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import { type Answer, newPerson, Visitor } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';

type People = { ada: Visitor; joe: Visitor };

/** Every event that a cache has to hear of, as an act that causes it. */
const EVENTS: Readonly<Record<string, (people: People) => Promise<Answer>>> = {
  send: ({ ada }) => ada.post('/groups/1/messages', { content: 'Another line about leeks' }),
  'send a mention': ({ ada }) => ada.post('/groups/1/messages', { content: 'Leeks for @joe' }),
  'reply in a thread': ({ ada }) =>
    ada.post('/groups/1/messages', { content: 'More leeks', replyTo: '1', thread: '1' }),
  edit: ({ ada }) => ada.post('/groups/1/messages/2/edit', { content: 'Leeks, edited' }),
  'edit a mention away': ({ ada }) => ada.post('/groups/1/messages/6/edit', { content: 'Nobody is called' }),
  react: ({ joe }) => joe.post('/groups/1/messages/1/reactions', { emoji: '👍', on: 'yes' }),
  'take a reaction back': ({ joe }) => joe.post('/groups/1/messages/1/reactions', { emoji: '👍', on: 'no' }),
  pin: ({ ada }) => ada.post('/groups/1/messages/2/pin', { on: 'yes' }),
  'remove a pinned message': ({ ada }) => ada.post('/groups/1/messages/2/remove'),
  'remove a reply': ({ ada }) => ada.post('/groups/1/messages/4/remove'),
  'remove the newest message': ({ ada }) => ada.post('/groups/1/messages/7/remove'),
  'save for oneself': ({ joe }) => joe.post('/groups/1/messages/1/save', { on: 'yes' }),
  'remove what somebody saved': ({ ada }) => ada.post('/groups/1/messages/1/remove'),
  'mark unread': ({ joe }) => joe.post('/groups/1/messages/3/unread'),
  'read in another tab': ({ joe }) => new Visitor(joe.url, { cookie: joe.cookie }).get('/groups/1'),
  'follow no longer': ({ joe }) => joe.post('/groups/1/threads/3/follow', { on: 'no' }),
  'rename a group': ({ ada }) => ada.post('/groups/1/rename', { name: 'Vegetables' }),
  'make a group': ({ joe }) => joe.post('/groups', { name: 'Beekeepers' }),
  join: ({ ada }) => ada.post('/groups/3/join'),
  leave: ({ ada }) => ada.post('/groups/3/leave'),
  'close a group': ({ joe }) => joe.post('/groups/3/rules', { access: 'closed', posting: 'members' }),
  'ask to join': ({ ada }) => ada.post('/groups/3/ask'),
  'let somebody in': ({ joe }) => joe.post('/groups/3/answer-request', { accountId: '1', accept: 'yes' }),
  'let owners only write': ({ joe }) => joe.post('/groups/3/rules', { access: 'closed', posting: 'owners' }),
  'set slow mode': ({ joe }) => joe.post('/groups/3/slow-mode', { seconds: '60' }),
  'set a topic': ({ joe }) => joe.post('/groups/3/topic', { topic: 'Honey' }),
  'make an owner': ({ joe }) => joe.post('/groups/3/make-owner', { accountId: '1' }),
  'unmake an owner': ({ joe }) => joe.post('/groups/3/remove-owner', { accountId: '1' }),
  'remove a member': ({ joe }) => joe.post('/groups/3/remove-member', { accountId: '1' }),
  'archive a group': ({ joe }) => joe.post('/groups/3/archive', { on: 'yes' }),
  'open an archived group': ({ joe }) => joe.post('/groups/3/rules', { access: 'open', posting: 'members' }),
  'take a group up again': ({ joe }) => joe.post('/groups/3/archive', { on: 'no' }),
  'begin a direct conversation': ({ ada }) => ada.post('/direct', { with: '2' }),
  'change the notification level': ({ joe }) => joe.post('/groups/1/bell', { bell: 'hidden' }),
  'choose who corrects': ({ ada }) =>
    ada.post('/groups/1/voice-settings', { corrections: 'members', spokenLanguage: 'de' }),
  'change a name': ({ ada }) => ada.post('/account/name', { displayName: 'Ada Lovelace' }),
  'change a username': ({ joe }) => joe.post('/account/username', { username: 'joseph' }),
  'change a line': ({ joe }) => joe.post('/account/line', { line: 'Keeper of the shed key' }),
  'keep a draft': ({ joe }) => joe.post('/groups/1/draft', { content: 'half a line about leeks' }),
  'send what was drafted': ({ joe }) => joe.post('/groups/1/messages', { content: 'A line about leeks' }),
  'set quiet hours': ({ joe }) =>
    joe.post('/notifications/quiet', { from: '22:00', to: '07:00', zone: 'Europe/Berlin' }),
  'hide receipts': ({ joe }) => joe.post('/account/receipts', {}),
  'delete a group': ({ joe }) => joe.post('/groups/3/delete-group', { confirmation: 'Beekeepers' }),
  'delete an account': async ({ ada }) => {
    const kim = await newPerson(ada.url, 'kim', 1);
    await kim.post('/groups/1/messages', { content: 'Leeks by kim' });
    return ada.post('/admin/people/3/delete-account', { messages: 'keep' });
  },
};

const PAGES = [
  ...['/groups', '/groups/1', '/groups/1?around=2', '/groups/2', '/groups/3', '/groups/1/threads/1'],
  ...['/groups/1/messages/1', '/groups/1/messages/3', '/groups/1/members', '/groups/1/settings'],
  ...['/groups/1/pins', '/groups/1/files', '/threads', '/saved', '/direct', '/people/1', '/people/2'],
  ...['/account', '/search?q=leeks', '/notifications'],
];

/** What the pages say to both, read by a browser with a script: that marks nothing as read but an opened thread. */
async function pagesOf({ ada, joe }: People): Promise<Map<string, string>> {
  const pages = [['ada', ada] as const, ['joe', joe] as const].flatMap(([name, person]) =>
    PAGES.map(async (path): Promise<[string, string]> => {
      // As a browser asks: compressed pages are kept whole.
      const { status, bytes, headers } = await person.get(path, { 'accept-encoding': 'gzip' });
      const body = headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
      return [`${name} ${path}`, `${status} ${body}`];
    }),
  );
  return new Map(await Promise.all(pages));
}

test('no cache outlives what it was made of: after every event a restart changes nothing that anybody sees', async (t) => {
  let hearth = await startHearth(t);
  const people = {
    ada: await newPerson(hearth.url, 'ada', 1, 2),
    joe: await newPerson(hearth.url, 'joe', 1),
  };
  for (const person of Object.values(people)) person.cookies.set('hearth-script', 'on');
  const say = (content: string, more = {}) => people.ada.post('/groups/1/messages', { content, ...more });
  await say('The leeks grow');
  await say('A second line about leeks');
  await people.joe.post('/groups/1/messages', { content: 'Leeks by joe' });
  await say('A reply about leeks', { replyTo: '3', thread: '3' });

  for (const [event, cause] of Object.entries(EVENTS)) {
    // Fills every cache.
    await pagesOf(people);
    const { status, body } = await cause(people);
    assert.ok(status < 400, `${event}: ${status} ${body}`);
    // The search follows a moment later.
    await new Promise((resolve) => setTimeout(resolve, 400));
    const running = await pagesOf(people);
    await hearth.stop();
    hearth = await startHearth(t, { dataDir: hearth.dataDir });
    for (const name of ['ada', 'joe'] as const) people[name] = moved(people[name], hearth.url);
    const restarted = await pagesOf(people);
    for (const [page, text] of running)
      assert.equal(text, restarted.get(page), `${page}, after the event "${event}"`);
  }
});

function moved(person: Visitor, url: string): Visitor {
  const visitor = new Visitor(url);
  for (const [name, value] of person.cookies) visitor.cookies.set(name, value);
  return visitor;
}
