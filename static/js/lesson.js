// The page of `--lesson`: what the taps see, as it goes by.
import { find, findAll, findOptional } from './page/dom.js';

/** How many are listed; the newest is first. */
const LISTED = 120;
const NAMES = { password: 'The password', cookie: 'The session cookie', message: 'A message' };

/**
 * @typedef {{ type: string, length: number, says?: { message: string, serverName?: string } }} TlsRecord
 * @typedef {object} Captured
 * @property {'http' | 'https'} lane
 * @property {number} connection
 * @property {'client' | 'server'} from
 * @property {number} at
 * @property {number} size
 * @property {string} [text]
 * @property {TlsRecord[]} [records]
 * @property {{ kind: keyof typeof NAMES, text: string }[]} evidence
 * @property {boolean} isChanged
 * @property {true} [isBroken]
 */

for (const button of findAll(document, '[data-lane]', HTMLButtonElement))
  button.addEventListener('click', () => showLane(button.dataset.lane ?? ''));
for (const button of findAll(document, '[data-replay]', HTMLButtonElement))
  button.addEventListener('click', () => replay(button.dataset.replay ?? ''));
for (const button of findAll(document, '[data-change]', HTMLButtonElement))
  button.addEventListener('click', () => change(button));

/** Whether a browser has broken a connection that was changed. */
let isBroken = false;

const events = new EventSource('/lesson/events');
events.onmessage = ({ data }) => show(JSON.parse(data));

/** @param {string} lane */
function showLane(lane) {
  for (const pane of findAll(document, '[data-pane]')) pane.hidden = pane.dataset.pane !== lane;
  for (const button of findAll(document, '[data-lane]'))
    button.setAttribute('aria-pressed', String(button.dataset.lane === lane));
}

/** @param {Captured} captured */
function show(captured) {
  const pane = find(document, `[data-pane="${captured.lane}"]`);
  move(pane, captured);
  for (const { kind, text } of captured.evidence) report(pane, kind, `${NAMES[kind]}, in the clear: ${text}`);
  if (captured.isBroken) {
    isBroken = true;
    return report(
      pane,
      'change',
      'The tap has changed one bit. Your browser noticed that the seal does not fit, and broke the connection.',
    );
  }
  if (captured.isChanged && !isBroken)
    report(
      pane,
      'change',
      captured.lane === 'http'
        ? 'The tap has changed a word, and nobody noticed.'
        : 'The tap has changed one bit.',
    );
  for (const { says } of captured.records ?? []) {
    if (says?.serverName) find(pane, '[data-server-name]').textContent = says.serverName;
  }
  const list = find(pane, '[data-packets]');
  list.prepend(entryOf(captured));
  while (list.children.length > LISTED) list.lastElementChild?.remove();
  find(pane, '[data-empty]').hidden = true;
}

/**
 * @param {HTMLElement} pane
 * @param {string} kind
 * @param {string} sentence
 */
function report(pane, kind, sentence) {
  const line = find(pane, `[data-finding="${kind}"]`);
  line.textContent = sentence;
  line.classList.add('is-found');
}

/** @param {Captured} captured */
function entryOf({ connection, from, at, size, text, records, isChanged }) {
  const entry = document.createElement('li');
  entry.className = `packet from-${from}`;
  const head = document.createElement('p');
  head.className = 'packet-head';
  const direction = from === 'client' ? '→ to the chat' : '← to you';
  const time = new Date(at).toLocaleTimeString();
  head.textContent = `${direction} · ${size} bytes · connection ${connection} · ${time}${isChanged ? ' · changed' : ''}`;
  entry.append(head);
  const body = document.createElement('pre');
  body.textContent = records ? records.map(labelOf).join('\n') || 'a part of a record' : (text ?? '');
  entry.append(body);
  return entry;
}

/** @param {TlsRecord} record */
function labelOf({ type, length, says }) {
  if (says)
    return `${type}: ${says.message}${says.serverName ? `, for ${says.serverName}` : ''} (${length} bytes, readable)`;
  if (type === 'application data') return `application data: ${length} bytes, sealed`;
  return `${type}: ${length} bytes`;
}

/**
 * A dot that goes from one end to the other; nothing moves for those who want it so.
 * @param {HTMLElement} pane
 * @param {Captured} captured
 */
function move(pane, { from, lane }) {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches || pane.hidden) return;
  for (const [index, side] of (from === 'client' ? ['left', 'right'] : ['right', 'left']).entries()) {
    const wire = findOptional(pane, `[data-wire="${side}"]`);
    const dot = document.createElement('span');
    dot.className = `dot is-${lane} ${from === 'client' ? 'goes-right' : 'goes-left'}`;
    if (index === 1) dot.classList.add('is-second');
    dot.addEventListener('animationend', () => dot.remove());
    wire?.append(dot);
  }
}

/** @param {string} lane */
async function replay(lane) {
  const { cookie, signedInAs } = await post('/lesson/replay', { lane });
  const pane = find(document, `[data-pane="${lane}"]`);
  if (signedInAs)
    report(pane, 'replay', `The server takes another machine for ${signedInAs}: no password was asked for.`);
  else
    find(pane, '[data-finding="replay"]').textContent = cookie
      ? 'The server does not take this cookie any more: that session has ended.'
      : 'The tap has no cookie to use.';
}

/** @param {HTMLButtonElement} button */
async function change(button) {
  const isOn = button.getAttribute('aria-pressed') !== 'true';
  const { on } = await post('/lesson/change', { lane: button.dataset.change ?? '', on: isOn ? 'yes' : 'no' });
  button.setAttribute('aria-pressed', String(on));
  button.textContent = on ? 'Stop changing it' : 'Change what goes by';
}

/**
 * @param {string} path
 * @param {Record<string, string>} form
 */
async function post(path, form) {
  const answer = await fetch(path, { method: 'POST', body: new URLSearchParams(form) });
  return answer.json();
}
