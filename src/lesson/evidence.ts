/** What somebody on the way reads in the bytes of plain HTTP. */
export type Evidence = Readonly<{ kind: 'password' | 'cookie' | 'message'; text: string }>;

/** Looks for a password, a session cookie and a message in a request. */
export function evidenceIn(text: string): Evidence[] {
  const found: Evidence[] = [];
  const password = /(?:^|[&\n])password=([^&\s]+)/.exec(text)?.[1];
  if (password) found.push({ kind: 'password', text: formText(password) });
  const cookie = /^cookie:.*?\bhearth=([^;\s]+)/im.exec(text)?.[1];
  if (cookie) found.push({ kind: 'cookie', text: cookie });
  const message = /(?:^|[&\n])content=([^&\s]+)/.exec(text)?.[1];
  if (message) found.push({ kind: 'message', text: formText(message) });
  return found;
}

/** The text of a frame that a browser sent over a WebSocket (RFC 6455, 5.2): its mask hides nothing from a reader. */
export function frameText(bytes: Buffer): string | undefined {
  const [first = 0, second = 0] = bytes;
  if ((first & 0x0f) !== 1 || (second & 0x80) === 0) return undefined;
  const short = second & 0x7f;
  const at = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (bytes.length < at + 4) return undefined;
  const mask = bytes.subarray(at, at + 4);
  const content = bytes.subarray(at + 4);
  return Buffer.from(content.map((byte, index) => byte ^ (mask[index % 4] ?? 0))).toString();
}

function formText(encoded: string): string {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch {
    return encoded;
  }
}
