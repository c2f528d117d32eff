import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** `{"type":"message","id":"` stands before the id of every message. */
const ID_AT = 24;
const MESSAGE = 'm'.charCodeAt(0);
const ACK = 'a'.charCodeAt(0);
const TYPE_AT = 9;

/**
 * A minimal WebSocket client, so that a thousand of them fit into one process next to the measured server:
 * frames are skipped, not parsed. The time at which a message was sent is read from its id.
 */
export class LeanSocket {
  onMessage: (microseconds: number) => void = () => {};
  onAck: () => void = () => {};
  #rest: Buffer = Buffer.alloc(0);

  private constructor(readonly stream: Socket) {
    stream.on('data', (chunk) => this.#take(chunk));
    stream.on('error', () => {});
  }

  static async open(url: string, path: string, cookie: string): Promise<LeanSocket> {
    const { hostname, port } = new URL(url);
    const stream = connect({ host: hostname, port: Number(port), noDelay: true });
    stream.write(
      [
        `GET ${path} HTTP/1.1`,
        `Host: ${hostname}:${port}`,
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
        'Sec-WebSocket-Protocol: hearth.json',
        `Cookie: ${cookie}`,
        '\r\n',
      ].join('\r\n'),
    );
    const rest = await new Promise<Buffer>((resolve, reject) => {
      let head = Buffer.alloc(0);
      stream.once('error', reject);
      stream.on('data', function read(chunk) {
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        stream.off('data', read);
        if (head.toString('latin1', 9, 12) === '101') resolve(head.subarray(end + 4));
        else reject(new Error(`The server answered ${head.toString('latin1', 0, 40)}`));
      });
    });
    const socket = new LeanSocket(stream);
    socket.#take(rest);
    return socket;
  }

  /** Sends a message of about 60 characters whose id carries the time, as UUIDv7 does (RFC 9562, 5.7), in microseconds. */
  send(content = 'The seed order arrived: tomatoes, leeks, and sunflowers.'): void {
    this.#write(`{"type":"send","id":"${timedId()}","content":"${content}"}`);
  }

  #write(text: string): void {
    const payload = Buffer.from(text);
    const mask = randomBytes(4);
    for (let at = 0; at < payload.length; at++) payload[at] = (payload[at] ?? 0) ^ (mask[at & 3] ?? 0);
    const header =
      payload.length < 126
        ? Buffer.from([0x81, 0x80 | payload.length])
        : Buffer.from([0x81, 0xfe, payload.length >> 8, payload.length & 255]);
    this.stream.write(Buffer.concat([header, mask, payload]));
  }

  #take(chunk: Buffer): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    let at = 0;
    while (bytes.length - at >= 2) {
      const short = (bytes[at + 1] ?? 0) & 127;
      const header = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (bytes.length - at < header) break;
      const length =
        short < 126
          ? short
          : short === 126
            ? bytes.readUInt16BE(at + 2)
            : Number(bytes.readBigUInt64BE(at + 2));
      if (bytes.length - at < header + length) break;
      const payload = at + header;
      if (bytes[at] === 0x81) this.#read(bytes, payload);
      // A ping is answered, or the server takes us for dead.
      if (bytes[at] === 0x89) this.stream.write(Buffer.from([0x8a, 0x80, 0, 0, 0, 0]));
      at = payload + length;
    }
    this.#rest = at < bytes.length ? Buffer.from(bytes.subarray(at)) : Buffer.alloc(0);
  }

  #read(bytes: Buffer, payload: number): void {
    const type = bytes[payload + TYPE_AT];
    if (type === ACK) this.onAck();
    if (type === MESSAGE) this.onMessage(sentAt(bytes, payload + ID_AT));
  }
}

/** Opens many, a few at a time. */
export async function openSockets(
  url: string,
  path: string,
  cookies: readonly string[],
  count: number,
): Promise<LeanSocket[]> {
  const sockets: LeanSocket[] = [];
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(50, count - sockets.length) }, (_, index) =>
      LeanSocket.open(url, path, cookies[(sockets.length + index) % cookies.length] ?? ''),
    );
    sockets.push(...(await Promise.all(batch)));
  }
  return sockets;
}

/** Microseconds on a clock that does not jump. */
export function now(): number {
  return Math.floor(performance.now() * 1_000);
}

/** What a browser's ids are like; the floor's rows have the same. */
export function timedId(): string {
  const time = now().toString(16).padStart(12, '0');
  const rest = randomBytes(10).toString('hex');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${rest.slice(0, 3)}-a${rest.slice(3, 6)}-${rest.slice(6, 18)}`;
}

function sentAt(bytes: Buffer, at: number): number {
  let value = 0;
  for (let index = 0; index < 13; index++) {
    if (index === 8) continue;
    const code = bytes[at + index] ?? 48;
    value = value * 16 + (code > 96 ? code - 87 : code - 48);
  }
  return value;
}
