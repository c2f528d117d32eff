// A thread beside its conversation, where there is room: a page of its own in a frame, with its own socket and composer.

const ROOM = matchMedia('(min-width: 1100px)');
const THREAD = /^\/groups\/(\d+)\/threads\/(\d+)$/;

/** On the page of a conversation: its threads open beside it. @param {string} groupId */
export function startBeside(groupId) {
  let pane;
  let opener;

  addEventListener('click', (event) => {
    const link = event.target.closest?.('a[href]');
    if (!link || !ROOM.matches || event.defaultPrevented || isForAnotherTab(event)) return;
    const [, group, thread] = THREAD.exec(new URL(link.href).pathname) ?? [];
    if (group !== groupId) return;
    event.preventDefault();
    link.closest('dialog')?.close();
    opener = link.closest('dialog') ? document.querySelector(`#message-${thread} .more`) : link;
    open(thread);
  });
  addEventListener('hearth:close-thread', close);

  function open(thread) {
    const current = pane?.firstElementChild;
    if (current && runningRecorder(current.contentDocument)) return current.focus();
    pane?.remove();
    pane = document.createElement('aside');
    pane.className = 'beside';
    pane.setAttribute('aria-label', 'Thread');
    const frame = document.createElement('iframe');
    frame.title = 'Thread';
    frame.src = `/groups/${groupId}/threads/${thread}?beside=`;
    frame.addEventListener('load', () => leaveUnlessThread(frame));
    pane.append(frame);
    document.body.append(pane);
    document.body.classList.add('has-beside');
    remember(thread);
  }

  function close() {
    pane?.remove();
    pane = undefined;
    document.body.classList.remove('has-beside');
    remember(undefined);
    (opener?.isConnected ? opener : document.getElementById('content'))?.focus();
  }

  /** A reload shows the same thread. */
  function remember(thread) {
    const address = new URL(location.href);
    if (thread) address.searchParams.set('thread', thread);
    else address.searchParams.delete('thread');
    history.replaceState(history.state, '', address);
  }

  const remembered = new URLSearchParams(location.search).get('thread');
  if (/^\d+$/.test(remembered ?? '') && ROOM.matches) open(remembered);
}

/** Only threads may stand in a frame: what came instead, such as the page for signing in, the whole page asks for. */
function leaveUnlessThread(frame) {
  try {
    const { pathname } = frame.contentWindow.location;
    if (THREAD.test(pathname)) return;
  } catch {
    // The browser refused to show it.
  }
  location.assign(frame.src.replace('?beside=', ''));
}

/** In the frame: links and forms that lead elsewhere lead the whole page there. */
export function startInFrame() {
  if (window === top) return;
  addEventListener('click', (event) => {
    if (event.target.closest?.('[data-close-thread]')) return closeThread();
    const link = event.target.closest?.('a[href]');
    if (!link || event.defaultPrevented || isForAnotherTab(event) || link.target || link.download) return;
    const { pathname, hash } = new URL(link.href);
    if (pathname === location.pathname && hash) return;
    event.preventDefault();
    top.location.assign(link.href);
  });
  addEventListener('submit', ({ target, defaultPrevented }) => {
    if (!defaultPrevented && !target.matches('[data-in-frame], [method="dialog"]')) target.target = '_top';
  });
  addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || event.defaultPrevented || event.isComposing) return;
    if (!document.querySelector('dialog[open]')) closeThread();
  });
}

/** A recording is sent or discarded first, since it would be lost with the frame. */
function closeThread() {
  const recorder = runningRecorder(document);
  if (recorder) return recorder.querySelector('button').focus();
  parent.dispatchEvent(new Event('hearth:close-thread'));
}

function runningRecorder(page) {
  return page?.querySelector('[data-recorder]:not([hidden])');
}

function isForAnotherTab({ button, ctrlKey, metaKey, shiftKey, altKey }) {
  return button !== 0 || ctrlKey || metaKey || shiftKey || altKey;
}
