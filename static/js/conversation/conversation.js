// One conversation, live: messages as they are written, who is here, what has been read.
import { localiseTimes } from '../page/days.js';
import { act } from '../page/dialog.js';
import { closest, find, findAll, findOptional } from '../page/dom.js';
import { listen } from '../page/events.js';
import { placeFragments } from '../page/fragments.js';
import { Connection } from '../page/socket.js';
import { Announcer } from './announcer.js';
import { focusMessage, MessageList } from './message-list.js';
import { OfflineCopy } from './offline-copy.js';
import { markOwn } from './own.js';
import { showPending } from './pending-messages.js';
import { ReadPosition } from './read-position.js';
import { ScrollPosition } from './scroll-position.js';
import { TypingLine } from './typing-line.js';

export class Conversation {
  #groupId;
  /** The first message of the thread that this page shows; none on the page of the whole conversation. */
  #thread;
  #isNewest;
  #accountId;
  #typing = new TypingLine(find(document, '[data-typing]'));
  /** @type {OfflineCopy | undefined} */
  #offlineCopy;
  #socket;
  #readPosition;
  #scroll;
  #messages;
  #announcer;
  /** The newest change that this page has. */
  #change;
  /** The newest change that there was when the socket was opened. */
  #caughtUpAt = 0;
  /** The seq of a reply that came in while nobody looked. @type {string | undefined} */
  #unreadReply;

  /**
   * @param {HTMLElement} section
   * @param {import('../outbox/outbox.js').Outbox} outbox
   * @param {string} accountId who looks at it
   */
  constructor(section, outbox, accountId) {
    this.#groupId = section.dataset.conversation ?? '';
    this.#thread = section.dataset.thread;
    this.#isNewest = section.dataset.isNewest === 'true';
    this.#accountId = accountId;
    this.#change = Number(section.dataset.change);
    if (!this.#thread && this.#isNewest) this.#offlineCopy = new OfflineCopy(`/groups/${this.#groupId}`);
    this.#socket = new Connection(() => `/ws/chat/${this.#groupId}?after=${this.#change}`, {
      onFragment: (html) => placeFragments(html, (element) => this.#take(element)),
      // Also what a thread that was open beside this page has left.
      onOpen: () => outbox.refresh(),
      // Not a member any more, or signed out: the page says so itself.
      onFinal: () => location.reload(),
    });
    outbox.useSocket({
      send: (item) => this.#send(item),
      restart: () => this.#socket.restart(),
    });
    this.#readPosition = new ReadPosition(section, (seq, id) => this.#socket.send({ type: 'read', seq, id }));
    this.#scroll = new ScrollPosition(section, () => this.#readPosition.update());
    this.#announcer = new Announcer(section, accountId);
    this.#messages = new MessageList(section, {
      accountId,
      scroll: this.#scroll,
      isShown: (...message) => this.#isShown(...message),
      onAdd: (element) => this.#onAdd(element),
    });
    this.#listen(section);
    withoutSelf(findOptional(document, '#seen'), accountId);
    showPending(outbox, this.#groupId, this.#thread, find(section, '[data-pending]'), this.#scroll);
  }

  /** Tells the others that something is being written. */
  typing() {
    this.#socket.send({ type: 'typing' });
  }

  /** @param {HTMLElement} section */
  #listen(section) {
    listen('hello', ({ change, purged }) => {
      this.#caughtUpAt = Number(change);
      this.#messages.removeUpTo(Number(purged ?? 0));
      this.#readPosition.tellAgain();
    });
    document.addEventListener('visibilitychange', () => this.#readReplies());
    listen('purged', ({ seq }) => this.#messages.removeUpTo(Number(seq)));
    // A message that went by form because no socket was open comes back as its fragment.
    listen('posted', ({ groupId, html }) => {
      if (groupId === this.#groupId) placeFragments(html, (element) => this.#show(element));
      // A successful request shows that the server is reachable again.
      if (!this.#socket.isOpen) this.#socket.restart();
    });
    /** The first message, when older ones were asked for. @type {HTMLElement | undefined} */
    let first;
    section.addEventListener('click', (event) => {
      if (closest(event.target, '.older')) first = findOptional(section, '.message');
    });
    // Older messages came in above.
    document.addEventListener('htmx:after:swap', () => {
      localiseTimes(document);
      markOwn(section, this.#accountId);
      // The link that had the focus is gone.
      const messages = findAll(section, '.message');
      const last = first && messages[messages.indexOf(first) - 1];
      if (last && document.activeElement === document.body) focusMessage(last);
      first = undefined;
    });
  }

  /** @param {import('../outbox/items.js').Item} item */
  #send({ groupId, id, content, replyTo, confirmed, files }) {
    const fileIds = files?.map((file) => file.id);
    const message = { type: 'send', id, content, replyTo, confirmed, files: fileIds };
    return groupId === this.#groupId && this.#socket.send(message);
  }

  /** @param {HTMLElement} element */
  #take(element) {
    const { live, accountId } = element.dataset;
    if (live === 'message') this.#takeMessage(element);
    else if (live === 'seen')
      findOptional(document, '#seen')?.replaceWith(withoutSelf(element, this.#accountId) ?? '');
    else if (live === 'notice') {
      this.#typing.stop(accountId);
      this.#messages.addNotice(element);
    }
  }

  /** @param {HTMLElement} element */
  #takeMessage(element) {
    const number = Number(element.dataset.change);
    // While catching up, messages that changed again later are skipped; after that, a gap means a lost frame.
    if (number > this.#change + 1 && this.#change >= this.#caughtUpAt) return this.#socket.restart();
    this.#change = Math.max(this.#change, number);
    this.#show(element);
  }

  /** @param {HTMLElement} element */
  #show(element) {
    this.#typing.stop(element.dataset.authorId);
    this.#messages.show(element);
  }

  /**
   * Whether a message that came in belongs on this page.
   * @param {HTMLElement} element
   * @param {boolean} wasPending
   * @param {boolean} isNew
   */
  #isShown(element, wasPending, isNew) {
    if (this.#thread && element.dataset.thread !== this.#thread) return false;
    if (this.#isNewest) return true;
    // The user's own message, sent from a page of older messages: go to the newest.
    if (wasPending && document.visibilityState === 'visible') this.#scroll.goToNewest();
    else if (isNew) this.#scroll.offerNewest();
    return false;
  }

  /** @param {HTMLElement} element */
  #onAdd(element) {
    this.#offlineCopy?.renew();
    this.#announcer.say(element);
    if (!this.#thread) return this.#readPosition.update();
    this.#unreadReply = element.dataset.seq;
    this.#readReplies();
  }

  /** Replies that came in are read once the thread is looked at. */
  #readReplies() {
    const upTo = this.#unreadReply;
    if (!upTo || document.visibilityState !== 'visible') return;
    this.#unreadReply = undefined;
    act(`/groups/${this.#groupId}/threads/${this.#thread}/read`, { upTo });
  }
}

/**
 * Removes the viewer from the read receipts of the newest message.
 * @param {HTMLElement | undefined} seen
 * @param {string} accountId
 */
function withoutSelf(seen, accountId) {
  seen?.querySelector(`[data-account-id="${CSS.escape(accountId)}"]`)?.remove();
  return seen;
}
