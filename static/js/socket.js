// A socket that comes back. What arrives are fragments; see place.js for what becomes of them.

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 15_000;
/** While somebody looks at the page, it does not wait longer than this. */
const LONGEST_VISIBLE_WAIT_MS = 4_000;
/** A connection that is not open by then leads nowhere. */
const OPEN_WITHIN_MS = 8_000;
/** The server says something every 20 s at least (`live/hub.ts`): after two beats that did not come, the line is dead. */
const SILENCE_MS = 45_000;
const CHECK_EVERY_MS = 5_000;
const ASLEEP_MS = 40_000;
/** Close codes after which coming back is pointless: the page has to be loaded again. */
const FINAL = new Set([4400, 4401, 4403]);

const down = new Set();

/**
 * @param {() => string} address where to connect; asked anew for each try, so that it can say what we have
 * @param {{ onFragment(html: string): void, onOpen?(): void, onFinal?(code: number): void }} handlers
 * @returns {{ send(message: object): boolean, isOpen(): boolean, restart(): void }}
 */
export function connect(address, { onFragment, onOpen, onFinal }) {
  let socket;
  let wait = FIRST_WAIT_MS;
  let timer;
  let openTimer;
  let isOver = false;
  let lastReceivedAt = Date.now();

  function open() {
    clearTimeout(timer);
    clearTimeout(openTimer);
    if (isOver || navigator.onLine === false) return;
    const url = new URL(address(), location.href);
    url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const opened = new WebSocket(url, 'hearth.html');
    socket = opened;
    openTimer = setTimeout(() => {
      drop();
      closed();
    }, OPEN_WITHIN_MS);
    opened.onmessage = (event) => {
      lastReceivedAt = Date.now();
      onFragment(event.data);
    };
    opened.onopen = () => {
      clearTimeout(openTimer);
      lastReceivedAt = Date.now();
      wait = FIRST_WAIT_MS;
      show(false);
      onOpen?.();
    };
    opened.onclose = (event) => {
      if (socket === opened) closed(event.code);
    };
  }

  function closed(code) {
    socket = undefined;
    clearTimeout(openTimer);
    if (FINAL.has(code)) {
      isOver = true;
      onFinal?.(code);
      return;
    }
    show(true);
    timer = setTimeout(open, wait * (0.5 + Math.random()));
    wait = Math.min(
      wait * 2,
      document.visibilityState === 'visible' ? LONGEST_VISIBLE_WAIT_MS : LONGEST_WAIT_MS,
    );
  }

  /** Lets go of a socket without waiting for its end: on a dead line that takes a minute. */
  function drop() {
    const old = socket;
    socket = undefined;
    if (!old) return;
    old.onopen = null;
    old.onclose = null;
    old.onmessage = null;
    old.close();
  }

  function show(isDown) {
    if (isDown) down.add(connection);
    else down.delete(connection);
    showNetworkLine();
  }

  const connection = {
    send(message) {
      if (socket?.readyState !== WebSocket.OPEN) return false;
      socket.send(JSON.stringify(message));
      return true;
    },
    isOpen: () => socket?.readyState === WebSocket.OPEN,
    /** Drops what may be dead and connects anew, now. */
    restart() {
      drop();
      if (isOver) return;
      wait = FIRST_WAIT_MS;
      show(true);
      open();
    },
  };

  addEventListener('online', () => connection.restart());
  addEventListener('offline', () => {
    drop();
    show(true);
  });
  let last = Date.now();
  setInterval(() => {
    const now = Date.now();
    // A machine that slept may hold a socket that has long been dead: time jumped, so connect anew.
    const hasSlept = now - last > ASLEEP_MS;
    last = now;
    if (hasSlept || (connection.isOpen() && now - lastReceivedAt > SILENCE_MS)) connection.restart();
  }, CHECK_EVERY_MS);
  // A page that comes out of the back/forward cache has lost its sockets.
  addEventListener('pageshow', (event) => event.persisted && connection.restart());

  open();
  return connection;
}

let lineTimer;

function showNetworkLine() {
  clearTimeout(lineTimer);
  const line = document.getElementById('network-line');
  if (!line) return;
  if (down.size === 0) line.hidden = true;
  // A blink of the network is nobody's business.
  else
    lineTimer = setTimeout(() => {
      line.textContent =
        navigator.onLine === false ? 'Offline. What was seen last is shown.' : 'Reconnecting…';
      line.hidden = false;
    }, 600);
}
