import * as ws from 'ws';

/** The two subprotocols: fragments for the browser, JSON for programs. */
export type Protocol = 'html' | 'json';

/** What of `ws` makes frames; its types leave it out. */
type Sender = {
  frame(
    data: Buffer,
    options: { fin: boolean; rsv1: boolean; opcode: number; mask: boolean; readOnly: boolean },
  ): Buffer[];
};
// `ws` exports it (wrapper.mjs), and its `static frame` is documented in its source.
const { Sender } = ws as unknown as { Sender: Sender };
const TEXT_OPCODE = 1;

/**
 * One text frame of the WebSocket protocol, ready to be written (RFC 6455, 5.2). A server's frames are not masked, so
 * that one buffer serves every socket.
 */
export function textFrame(text: string): Buffer {
  const options = { fin: true, rsv1: false, opcode: TEXT_OPCODE, mask: false, readOnly: false };
  return Buffer.concat(Sender.frame(Buffer.from(text), options));
}

/**
 * A small fact rather than a fragment, such as `ack`. As JSON `{"type":"ack","seq":7}`; for the browser
 * `<data data-event="ack" data-seq="7"></data>`, which reaches its scripts as an event.
 */
export function factText(
  protocol: Protocol,
  type: string,
  fields: Readonly<Record<string, string | number | undefined>>,
): string {
  // JSON leaves out what is undefined by itself.
  if (protocol === 'json') return JSON.stringify({ type, ...fields });
  const attributes = Object.entries(fields)
    .filter((entry) => entry[1] !== undefined)
    .map(([name, value]) => ` data-${kebab(name)}="${escapeHtml(String(value))}"`);
  return `<data data-event="${type}"${attributes.join('')}></data>`;
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
