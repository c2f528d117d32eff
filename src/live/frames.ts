/** The two subprotocols: fragments for the browser, JSON for programs. */
export type Protocol = 'html' | 'json';

const FINAL_TEXT = 0x81;

/**
 * One text frame of the WebSocket protocol, ready to be written (RFC 6455, 5.2). A server's frames are not
 * masked, so that one buffer serves every socket; `ws` has no public way to make such a frame.
 */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const header = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(header + length);
  frame[0] = FINAL_TEXT;
  frame[1] = header === 2 ? length : header === 4 ? 126 : 127;
  if (header === 4) frame.writeUInt16BE(length, 2);
  if (header === 10) frame.writeBigUInt64BE(BigInt(length), 2);
  frame.write(text, header);
  return frame;
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
