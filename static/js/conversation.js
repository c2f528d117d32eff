// One conversation, live: messages as they are written, who is here, what has been read.

import { localiseTimes, separateDays, separateLast } from './days.js';
import { act } from './dialog.js';
import { markMine } from './mine.js';
import { place } from './place.js';
import { connect } from './socket.js';

const AT_BOTTOM_PX = 60;
/** The end of a message may be covered by so much: its last line is in view. */
const EDGE_PX = 12;
const READ_EVERY_MS = 300;
const TYPING_SHOWN_MS = 5_000;
const KEPT_NOTICES = 20;
/** What the focus may be on while its message is drawn anew. */
const PARTS = ['[data-play]', '[data-position]', '[data-speed]', '[data-transcript]'];
const KEEP_EVERY_MS = 15_000;

/** @returns {{ isOpen(): boolean, typing(): void }} what the composer needs of it */
export function startConversation(section, outbox, accountId) {
  const groupId = section.dataset.conversation;
  const isNewest = section.dataset.isNewest === 'true';
  /** The first message of the thread that this page shows; none on the page of the whole conversation. */
  const { thread } = section.dataset;
  const list = section.querySelector('#messages');
  const scroller = section.querySelector('[data-scroller]');
  const pendingList = section.querySelector('[data-pending]');
  const toNewest = section.querySelector('[data-to-newest]');
  let change = Number(section.dataset.change);
  const stopTyping = followTyping(document.querySelector('[data-typing]'));
  let caughtUpAt = 0;
  let readSeq = Number(section.dataset.readSeq ?? 0);
  const toNew = section.querySelector('[data-to-new]');
  const newMark = list.querySelector('[data-new-mark]');

  document.querySelector(`#seen [data-account-id="${CSS.escape(accountId)}"]`)?.remove();

  const socket = connect(() => `/ws/chat/${groupId}?after=${change}`, {
    onFragment: (html) => place(html, takeElement),
    onOpen: () => outbox.flush(),
    // Not a member any more, or signed out: the page says so itself.
    onFinal: () => location.reload(),
  });
  outbox.useSocket({
    send: ({ groupId: to, id, content, replyTo, confirmed, files }) =>
      to === groupId &&
      socket.send({ type: 'send', id, content, replyTo, confirmed, files: files?.map((file) => file.id) }),
    restart: socket.restart,
  });

  function takeElement(element) {
    if (element.dataset.live === 'message') takeMessage(element);
    else if (element.dataset.live === 'notice') takeNotice(element);
    else if (element.dataset.live === 'seen') takeSeen(element);
  }

  /** Who has read the newest message; whoever looks at it knows about themself. */
  function takeSeen(element) {
    element.querySelector(`[data-account-id="${CSS.escape(accountId)}"]`)?.remove();
    document.getElementById('seen')?.replaceWith(element);
  }

  function takeMessage(element) {
    const number = Number(element.dataset.change);
    // Catching up passes over what changed again later; after that, a gap means that something was lost on the way.
    if (number > change + 1 && change >= caughtUpAt) return socket.restart();
    change = Math.max(change, number);
    show(element);
  }

  function show(element) {
    const seq = Number(element.dataset.seq);
    const old = document.getElementById(element.id);
    localiseTimes(element);
    markMine(element, accountId);
    renewQuotes(element);
    stopTyping(element.dataset.authorId);
    const pending = pendingList.querySelector(`[data-id="${CSS.escape(element.dataset.id)}"]`);
    pending?.remove();
    if (old) {
      if (Number(old.dataset.change) < Number(element.dataset.change)) replace(old, element);
      return;
    }
    if (thread && element.dataset.thread !== thread) return;
    // Written while looking at old messages: the place to see it is at the newest.
    if (!isNewest) return pending ? location.assign(`/groups/${groupId}?newest=`) : showToNewest();
    keepingPosition(() => {
      const after = [...list.querySelectorAll(':scope > .message')].findLast(
        (message) => Number(message.dataset.seq) < seq,
      );
      const next = after ? after.nextElementSibling : list.querySelector(':scope > .message');
      const isLast = !list.querySelector(`:scope > .message[data-seq="${seq}"]`) && !nextMessage(after);
      if (isLast) list.append(element);
      else list.insertBefore(element, next);
      if (isLast) separateLast(list, element);
      else separateDays(list);
    });
    markRead();
    markThreadRead(seq);
    isKept = false;
  }

  let isKept = true;
  /** What is shown now is what is shown without a network, too: kept once it is out of sight, and now and then. */
  function keepForOffline() {
    const worker = navigator.serviceWorker?.controller;
    if (isKept || !worker || thread || !isNewest) return;
    isKept = true;
    worker.postMessage({ type: 'keep', url: `${location.origin}/groups/${groupId}` });
  }
  setInterval(keepForOffline, KEEP_EVERY_MS);
  for (const name of ['visibilitychange', 'pagehide'])
    addEventListener(name, () => document.visibilityState === 'hidden' && keepForOffline(), true);

  /** Replies that come in while the thread is looked at are read. */
  function markThreadRead(seq) {
    if (!thread || document.visibilityState !== 'visible') return;
    act(`/groups/${groupId}/threads/${thread}/read`, { upTo: String(seq) });
  }

  /** What is changed stays in sight, and the focus within it stays where it was. */
  function replace(old, element) {
    const focused = old.contains(document.activeElement) ? document.activeElement : undefined;
    const part = PARTS.find((selector) => focused?.matches(selector)) ?? '.more';
    const selector = focused?.matches('.reaction') ? `[value="${CSS.escape(focused.value)}"]` : part;
    keepingPosition(() => old.replaceWith(element), { isMessage: false });
    if (focused) element.querySelector(selector)?.focus();
  }

  /** Quotes of a message say what it says now. */
  function renewQuotes(element) {
    for (const quote of list.querySelectorAll(`[data-quote="${element.dataset.seq}"]`)) {
      const author = quote.querySelector('.quoted-author');
      const said = element.querySelector('.removed, .body')?.textContent;
      const text = (said ?? filesOf(element)).trim().replace(/\s+/g, ' ');
      quote.replaceChildren(author, ` ${shortened(text)}`);
    }
  }

  function filesOf(element) {
    const names = [...element.querySelectorAll('.file-name, figcaption a')].map((name) => name.textContent);
    const voice = element.querySelector('.voice-player')?.getAttribute('aria-label') ?? [];
    const pictures = [...element.querySelectorAll('.files img')].map((picture) => picture.alt);
    return [...names, ...pictures, voice].flat().join(', ');
  }

  function nextMessage(element) {
    let next = element?.nextElementSibling;
    while (next && !next.matches('.message')) next = next.nextElementSibling;
    return next;
  }

  function takeNotice(element) {
    stopTyping(element.dataset.accountId);
    if (!isNewest || element.dataset.accountId === accountId) return;
    keepingPosition(
      () => {
        list.append(element);
        const notices = list.querySelectorAll('.notice');
        if (notices.length > KEPT_NOTICES) notices[0].remove();
      },
      { isMessage: false },
    );
  }

  /** What comes in below leaves what is being read where it is; at the bottom, the bottom stays in view. */
  function keepingPosition(insert, { mustShow = false, isMessage = true } = {}) {
    const wasAtBottom = isAtBottom();
    const height = scroller.scrollHeight;
    insert();
    if (wasAtBottom || mustShow) scroller.scrollTop = 0;
    else {
      scroller.scrollTop -= scroller.scrollHeight - height;
      if (isMessage) showToNewest();
    }
  }

  // The scroller is laid out from the bottom up: nought is the bottom, and upwards counts down.
  function isAtBottom() {
    return scroller.scrollTop > -AT_BOTTOM_PX;
  }

  function showToNewest() {
    toNewest.hidden = false;
    toNewest.classList.add('has-new');
    toNewest.textContent = 'New messages ↓';
  }

  function showWay() {
    // The end of an older page has a link of its own.
    const isThere = isAtBottom();
    toNewest.hidden = isThere;
    if (isThere) {
      toNewest.classList.remove('has-new');
      toNewest.textContent = 'To the newest ↓';
    }
    if (toNew && newMark) toNew.hidden = !isAbove(newMark);
  }

  const isAbove = (element) => element.getBoundingClientRect().bottom < scroller.getBoundingClientRect().top;

  toNewest.addEventListener('click', () => {
    if (!isNewest) return location.assign(`/groups/${groupId}?newest=`);
    scroller.scrollTop = 0;
  });
  toNew?.addEventListener('click', (event) => {
    if (!newMark) return;
    event.preventDefault();
    newMark.scrollIntoView({ block: 'start' });
    toNew.hidden = true;
  });
  scroller.addEventListener(
    'scroll',
    () => {
      showWay();
      markRead();
    },
    { passive: true },
  );

  // A link to a message, such as a hit of the search, leads the focus there, too.
  const linked = location.hash.startsWith('#message-') && document.getElementById(location.hash.slice(1));
  if (linked) {
    linked.tabIndex = -1;
    linked.focus({ preventScroll: true });
  }

  // At the first unread message; where all of them fit, that is at the newest.
  const isAskedForNewest = new URLSearchParams(location.search).has('newest');
  if (newMark && !location.hash && !isAskedForNewest) newMark.scrollIntoView({ block: 'start' });
  showWay();

  let readTimer;
  /** What was in view has been read: the last message whose end stands above the lower edge. */
  function markRead() {
    if (readTimer || thread || document.visibilityState !== 'visible') return;
    readTimer = setTimeout(() => {
      readTimer = undefined;
      const seq = lastInView();
      if (seq > readSeq && document.visibilityState === 'visible' && socket.send({ type: 'read', seq }))
        readSeq = seq;
    }, READ_EVERY_MS);
  }

  function lastInView() {
    const edge = scroller.getBoundingClientRect().bottom + EDGE_PX;
    const last = [...list.querySelectorAll(':scope > .message')].findLast(
      (message) => message.getBoundingClientRect().bottom <= edge,
    );
    return Number(last?.dataset.seq ?? 0);
  }
  document.addEventListener('visibilitychange', markRead);
  addEventListener('hearth:hello', ({ detail }) => {
    caughtUpAt = Number(detail.change);
    markRead();
  });

  // Older messages came in above.
  document.addEventListener('htmx:after:swap', () => {
    localiseTimes(document);
    markMine(list, accountId);
  });

  // A message that went by form because no socket was open comes back as its fragment.
  addEventListener('hearth:posted', ({ detail }) => {
    if (detail.groupId === groupId) place(detail.html, show);
    // What went by form shows that the server is back.
    if (!socket.isOpen()) socket.restart();
  });

  followOutbox(outbox, groupId, pendingList, keepingPosition);
  return { isOpen: socket.isOpen, typing: () => socket.send({ type: 'typing' }) };
}

/** What is on its way, below the messages, with its state in words. */
async function followOutbox(outbox, groupId, list, keepingPosition) {
  const template = document.getElementById('pending-message');
  const words = {
    sending: 'Sending…',
    waiting: 'Not sent yet. It goes out when the connection is back.',
    'waiting in this tab':
      'Not sent yet, and this browser stores nothing: leave this tab open until the connection is back.',
  };

  const showItem = (item, state) => {
    if (item.groupId !== groupId) return;
    const pending = list.querySelector(`[data-id="${item.id}"]`);
    if (state === 'sent') return pending?.remove();
    const element = pending ?? template.content.firstElementChild.cloneNode(true);
    element.dataset.id = item.id;
    element.querySelector('[data-content]').textContent = item.content;
    const names = element.querySelector('[data-files]');
    names.hidden = !item.files?.length;
    names.textContent = item.files?.map((file) => file.name).join(', ') ?? '';
    element.querySelector('[data-state]').textContent = words[state] ?? item.refusal;
    element.classList.toggle('is-failed', state === 'refused');
    for (const name of ['retry', 'discard'])
      element.querySelector(`[data-${name}]`).hidden = state !== 'refused';
    element.querySelector('[data-retry]').onclick = () => outbox.retry(item);
    element.querySelector('[data-discard]').onclick = async () => {
      await outbox.discard(item);
      element.remove();
      dispatchEvent(new CustomEvent('hearth:put-back', { detail: item }));
    };
    if (!pending) keepingPosition(() => list.append(element), { mustShow: true });
  };

  outbox.subscribe(showItem);
  for (const { item, state } of await outbox.pending(groupId)) showItem(item, state);
}

const EXCERPT_CHARACTERS = 140;

/** By character: half of an emoji is none. */
function shortened(text) {
  const characters = [...text];
  return characters.length > EXCERPT_CHARACTERS
    ? `${characters.slice(0, EXCERPT_CHARACTERS).join('')}…`
    : text;
}

/** "Mina is typing…", for as long as she does. */
function followTyping(line) {
  const typing = new Map();
  const show = () => {
    const names = [...typing.values()].map((person) => person.name);
    const people = new Intl.ListFormat('en').format(names.slice(0, 3));
    line.textContent = names.length === 0 ? '' : `${people} ${names.length === 1 ? 'is' : 'are'} typing…`;
  };
  const stop = (accountId) => {
    clearTimeout(typing.get(accountId)?.timer);
    if (typing.delete(accountId)) show();
  };
  addEventListener('hearth:typing', ({ detail: { accountId, name } }) => {
    clearTimeout(typing.get(accountId)?.timer);
    typing.set(accountId, { name, timer: setTimeout(stop, TYPING_SHOWN_MS, accountId) });
    show();
  });
  return stop;
}
