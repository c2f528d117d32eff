import { connect, createServer, type Server, type Socket } from 'node:net';
import { listen } from '../listeners.ts';
import { type Evidence, evidenceIn, frameText } from './evidence.ts';
import { RecordReader, type TlsRecord } from './tls-records.ts';

/** What the tap changes where it changes something: words of the same length. */
export const TRUE_WORD = 'noon';
export const FALSE_WORD = 'nine';

const MAX_TEXT = 3_000;
const APPLICATION_DATA = 23;

/** Something that went by. `text` is what can be read, `records` what TLS shows. */
export type Captured = Readonly<{
  lane: 'http' | 'https';
  connection: number;
  from: 'client' | 'server';
  at: number;
  size: number;
  text?: string;
  records?: readonly TlsRecord[];
  evidence: readonly Evidence[];
  isChanged: boolean;
  /** Whether the browser broke a connection of which something was changed; nothing went by then. */
  isBroken?: true;
}>;

/**
 * Stands between a browser and a server, on loopback, reads what goes by and can change it: what anybody on the way can
 * do, such as whoever runs the network. It exists for the lesson's own servers only.
 */
export class Tap {
  isTampering = false;
  readonly #lane: Captured['lane'];
  readonly #targetPort: number;
  readonly #tell: (captured: Captured) => void;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #connections = 0;

  constructor(lane: Captured['lane'], targetPort: number, tell: (captured: Captured) => void) {
    this.#lane = lane;
    this.#targetPort = targetPort;
    this.#tell = tell;
    this.#server = createServer((client) => this.#join(client));
  }

  /** @returns the port, where 0 took a free one */
  async listen(port: number): Promise<number> {
    await listen(this.#server, '127.0.0.1', port);
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket): void {
    const connection = ++this.#connections;
    const server = connect(this.#targetPort, '127.0.0.1');
    let hasChanged = false;
    client.once('close', () => {
      const what = { lane: this.#lane, connection, from: 'client', at: Date.now(), size: 0 } as const;
      if (hasChanged) this.#tell({ ...what, evidence: [], isChanged: false, isBroken: true });
    });
    for (const [from, to, side] of [
      [client, server, 'client'],
      [server, client, 'server'],
    ] as const) {
      this.#sockets.add(from);
      const reader = new RecordReader();
      from.on('data', (bytes: Buffer) => {
        const { passed, captured } = this.#look(bytes, side, reader);
        hasChanged ||= captured.isChanged && this.#lane === 'https';
        this.#tell({
          ...captured,
          lane: this.#lane,
          connection,
          from: side,
          at: Date.now(),
          size: bytes.length,
        });
        if (!to.destroyed) to.write(passed);
      });
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }

  #look(bytes: Buffer, side: Captured['from'], reader: RecordReader) {
    if (this.#lane === 'https') {
      const records = reader.push(bytes);
      const changed = this.isTampering && side === 'server' ? flipped(bytes) : undefined;
      return {
        passed: changed ?? bytes,
        captured: { records, evidence: [], isChanged: changed !== undefined },
      };
    }
    const plain = bytes.toString('latin1');
    // So that answers can be read and changed as they go by, the tap asks for them unpacked.
    let passed = side === 'client' ? plain.replace(/^accept-encoding:/im, 'x-accept-coding:') : plain;
    const isChanged = this.isTampering && side === 'server' && passed.includes(TRUE_WORD);
    if (isChanged) passed = passed.replaceAll(TRUE_WORD, FALSE_WORD);
    const frame = side === 'client' ? frameText(bytes) : undefined;
    const text = frame ?? bytes.toString();
    const said = frame === undefined ? [] : spokenIn(frame);
    const evidence = side === 'client' ? [...evidenceIn(text), ...said] : [];
    return {
      passed: Buffer.from(passed, 'latin1'),
      captured: { text: text.slice(0, MAX_TEXT), evidence, isChanged },
    };
  }
}

function spokenIn(frame: string): Evidence[] {
  const content =
    /"type":"send"[^}]*"content":"((?:[^"\\]|\\.)*)"|"content":"((?:[^"\\]|\\.)*)"[^}]*"type":"send"/.exec(
      frame,
    );
  const text = content?.[1] ?? content?.[2];
  return text ? [{ kind: 'message', text }] : [];
}

/** With one bit of the last byte of an encrypted record changed; undefined where there is none. */
function flipped(bytes: Buffer): Buffer | undefined {
  if (bytes[0] !== APPLICATION_DATA) return undefined;
  const copy = Buffer.from(bytes);
  const last = copy.length - 1;
  copy[last] = (copy[last] ?? 0) ^ 1;
  return copy;
}
