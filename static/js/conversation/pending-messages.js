// What is on its way, below the messages, with its state in words.
import { copyTemplate, find, findOptional } from '../page/dom.js';
import { announce } from '../page/events.js';

/** How long the server is given to push what it has taken. */
const DELIVERED_MS = 3_000;

/** @type {Record<import('../outbox/items.js').State, string>} */
const STATES = {
  sending: 'Sending…',
  waiting: 'Not sent yet. It goes out when the connection is back.',
  'waiting in this tab':
    'Not sent yet, and this browser stores nothing: leave this tab open until the connection is back.',
  refused: '',
  delivered: 'Sending…',
  gone: '',
};

/**
 * @param {import('../outbox/outbox.js').Outbox} outbox
 * @param {string} groupId
 * @param {string | undefined} thread shows only what is written in it
 * @param {HTMLElement} list
 * @param {import('./scroll-position.js').ScrollPosition} scroll
 */
export async function showPending(outbox, groupId, thread, list, scroll) {
  let isListed = false;
  /** @type {import('../outbox/outbox.js').Listener} */
  const showItem = (item, state) => {
    if (item.groupId !== groupId || (thread && item.thread !== thread)) return;
    const old = findOptional(list, `[data-id="${item.id}"]`);
    if (state === 'gone') return old?.remove();
    // The message takes its place, where it belongs on this page.
    if (state === 'delivered') return void setTimeout(() => old?.remove(), DELIVERED_MS);
    const element = old ?? copyTemplate('pending-message');
    fill(element, item, state);
    find(element, '[data-retry]').onclick = () => outbox.retry(item);
    find(element, '[data-discard]').onclick = async () => {
      if (await outbox.takeBack(item)) announce('put-back', item);
    };
    if (!old) scroll.keep(() => list.append(element), { mustShow: isListed, isMessage: isListed });
  };
  outbox.subscribe(showItem);
  for (const { item, state } of await outbox.pending(groupId)) showItem(item, state);
  isListed = true;
}

/**
 * @param {HTMLElement} element
 * @param {import('../outbox/items.js').Item} item
 * @param {import('../outbox/items.js').State} state
 */
function fill(element, item, state) {
  element.dataset.id = item.id;
  find(element, '[data-content]').textContent = item.content;
  const names = find(element, '[data-files]');
  names.hidden = !item.files?.length;
  names.textContent = item.files?.map((file) => file.name).join(', ') ?? '';
  find(element, '[data-state]').textContent = STATES[state] || (item.refusal ?? '');
  element.classList.toggle('is-failed', state === 'refused');
  find(element, '[data-retry]').hidden = state !== 'refused';
  // Where nobody may write any more, there is no field for the words: they stay here.
  find(element, '[data-discard]').hidden = state !== 'refused' || !document.querySelector('[data-composer]');
}
