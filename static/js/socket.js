// A socket that comes back. What arrives are fragments; see place.js for what becomes of them.

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 15_000;
/** While somebody looks at the page, it does not wait longer than this. */
const LONGEST_SEEN_WAIT_MS = 4_000;
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
  let isOver = false;

  function open() {
    clearTimeout(timer);
    if (isOver || navigator.onLine === false) return;
    const url = new URL(address(), location.href);
    url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const opened = new WebSocket(url, 'hearth.html');
    socket = opened;
    opened.onmessage = (event) => onFragment(event.data);
    opened.onopen = () => {
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
    if (FINAL.has(code)) {
      isOver = true;
      onFinal?.(code);
      return;
    }
    show(true);
    timer = setTimeout(open, wait * (0.5 + Math.random()));
    wait = Math.min(
      wait * 2,
      document.visibilityState === 'visible' ? LONGEST_SEEN_WAIT_MS : LONGEST_WAIT_MS,
    );
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
      const old = socket;
      socket = undefined;
      if (old) {
        old.onclose = null;
        old.onmessage = null;
        old.close();
      }
      wait = FIRST_WAIT_MS;
      open();
    },
  };

  addEventListener('online', () => connection.restart());
  addEventListener('offline', () => {
    const old = socket;
    socket = undefined;
    old?.close();
    show(true);
  });
  // A machine that slept may hold a socket that has long been dead: time jumped, so connect anew.
  let last = Date.now();
  setInterval(() => {
    const now = Date.now();
    if (now - last > ASLEEP_MS) connection.restart();
    last = now;
  }, 5_000);
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
