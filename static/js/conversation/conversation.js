// One conversation, live: messages as they are written, who is here, what has been read.
import { localiseTimes } from '../page/days.js';
import { act } from '../page/dialog.js';
import { find, findOptional } from '../page/dom.js';
import { listen } from '../page/events.js';
import { placeFragments } from '../page/fragments.js';
import { Connection } from '../page/socket.js';
import { MessageList } from './message-list.js';
import { OfflineCopy } from './offline-copy.js';
import { markOwn } from './own.js';
import { showPending } from './pending-messages.js';
import { ReadPosition } from './read-position.js';
import { ScrollPosition } from './scroll-position.js';
import { TypingLine } from './typing-line.js';

/**
 * @param {HTMLElement} section
 * @param {import('../outbox/outbox.js').Outbox} outbox
 * @param {string} accountId
 * @returns {{ typing(): void }} what the composer needs of it
 */
export function startConversation(section, outbox, accountId) {
  const groupId = section.dataset.conversation ?? '';
  /** The first message of the thread that this page shows; none on the page of the whole conversation. */
  const { thread } = section.dataset;
  const isNewest = section.dataset.isNewest === 'true';
  const pendingList = find(section, '[data-pending]');
  const typing = new TypingLine(find(document, '[data-typing]'));
  const offlineCopy = thread || !isNewest ? undefined : new OfflineCopy(`/groups/${groupId}`);
  let change = Number(section.dataset.change);
  let caughtUpAt = 0;

  const socket = new Connection(() => `/ws/chat/${groupId}?after=${change}`, {
    onFragment: (html) => placeFragments(html, takeElement),
    onOpen: () => outbox.flush(),
    // Not a member any more, or signed out: the page says so itself.
    onFinal: () => location.reload(),
  });
  outbox.useSocket({
    send: ({ groupId: to, id, content, replyTo, confirmed, files }) =>
      to === groupId &&
      socket.send({ type: 'send', id, content, replyTo, confirmed, files: files?.map((file) => file.id) }),
    restart: () => socket.restart(),
  });

  const readPosition = new ReadPosition(section, (seq) => socket.send({ type: 'read', seq }));
  const scroll = new ScrollPosition(section, () => readPosition.update());
  const messages = new MessageList(section, { accountId, scroll, isShown, onAdd });

  /** @param {HTMLElement} element */
  function takeElement(element) {
    const { live } = element.dataset;
    if (live === 'message') takeMessage(element);
    else if (live === 'seen')
      findOptional(document, '#seen')?.replaceWith(withoutSelf(element, accountId) ?? '');
    else if (live === 'notice') {
      typing.stop(element.dataset.accountId);
      messages.addNotice(element);
    }
  }

  /** @param {HTMLElement} element */
  function takeMessage(element) {
    const number = Number(element.dataset.change);
    // Catching up passes over what changed again later; after that, a gap means that something was lost on the way.
    if (number > change + 1 && change >= caughtUpAt) return socket.restart();
    change = Math.max(change, number);
    show(element);
  }

  /** @param {HTMLElement} element */
  function show(element) {
    typing.stop(element.dataset.authorId);
    messages.show(element);
  }

  /**
   * Whether a message that came in belongs on this page.
   * @param {HTMLElement} element
   * @param {boolean} wasPending
   */
  function isShown(element, wasPending) {
    if (thread && element.dataset.thread !== thread) return false;
    if (isNewest) return true;
    // Written while looking at old messages: the place to see it is at the newest.
    if (wasPending) scroll.goToNewest();
    else scroll.offerNewest();
    return false;
  }

  /** @param {HTMLElement} element */
  function onAdd(element) {
    offlineCopy?.renew();
    if (!thread) readPosition.update();
    // Replies that come in while the thread is looked at are read.
    else if (document.visibilityState === 'visible')
      act(`/groups/${groupId}/threads/${thread}/read`, { upTo: element.dataset.seq ?? '' });
  }

  listen('hello', (hello) => {
    caughtUpAt = Number(hello.change);
    readPosition.update();
  });
  // A message that went by form because no socket was open comes back as its fragment.
  listen('posted', (posted) => {
    if (posted.groupId === groupId) placeFragments(posted.html, show);
    // What went by form shows that the server is back.
    if (!socket.isOpen) socket.restart();
  });
  // Older messages came in above.
  document.addEventListener('htmx:after:swap', () => {
    localiseTimes(document);
    markOwn(section, accountId);
  });

  withoutSelf(findOptional(document, '#seen'), accountId);
  showPending(outbox, groupId, pendingList, scroll);
  return { typing: () => socket.send({ type: 'typing' }) };
}

/**
 * Who has read the newest message; whoever looks at the page knows about themself.
 * @param {HTMLElement | undefined} seen
 * @param {string} accountId
 */
function withoutSelf(seen, accountId) {
  seen?.querySelector(`[data-account-id="${CSS.escape(accountId)}"]`)?.remove();
  return seen;
}
