/** A TLS record, as anybody on the way can see it: RFC 8446, 5.1. */
export type TlsRecord = Readonly<{
  type: 'handshake' | 'change cipher spec' | 'alert' | 'application data' | 'unknown';
  /** Of its content, in bytes. */
  length: number;
  /** Only what is readable without a key. */
  says?: HandshakeWords | undefined;
}>;

/** A message of the handshake. Of later ones nothing can be read but that they are there. */
export type HandshakeWords = Readonly<{ message: string; serverName?: string | undefined }>;

const TYPES: Readonly<Record<number, TlsRecord['type']>> = {
  20: 'change cipher spec',
  21: 'alert',
  22: 'handshake',
  23: 'application data',
};
/** RFC 8446, 4; those that are sent in the clear, also of TLS 1.2. */
const MESSAGES: Readonly<Record<number, string>> = {
  1: 'ClientHello',
  2: 'ServerHello',
  11: 'Certificate',
  12: 'ServerKeyExchange',
  14: 'ServerHelloDone',
  16: 'ClientKeyExchange',
};
const HEADER = 5;
const SERVER_NAME = 0;

/** Finds the records in what goes one way of a connection, however it is cut into pieces. */
export class RecordReader {
  #rest = Buffer.alloc(0);

  push(bytes: Buffer): TlsRecord[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const records: TlsRecord[] = [];
    while (this.#rest.length >= HEADER) {
      const length = this.#rest.readUInt16BE(3);
      if (this.#rest.length < HEADER + length) break;
      records.push(readRecord(this.#rest.readUInt8(0), this.#rest.subarray(HEADER, HEADER + length)));
      this.#rest = this.#rest.subarray(HEADER + length);
    }
    return records;
  }
}

function readRecord(typeNumber: number, content: Buffer): TlsRecord {
  const type = TYPES[typeNumber] ?? 'unknown';
  const message = type === 'handshake' ? MESSAGES[content[0] ?? -1] : undefined;
  if (message === undefined) return { type, length: content.length };
  const serverName = message === 'ClientHello' ? serverNameIn(content) : undefined;
  return { type, length: content.length, says: { message, serverName } };
}

/** The name in a ClientHello (RFC 6066, 3): which site somebody wants stands there in the clear. */
function serverNameIn(content: Buffer): string | undefined {
  try {
    // Its type and length, the version, the random value; then three lists, each after its length.
    let at = 4 + 2 + 32;
    at += 1 + content.readUInt8(at);
    at += 2 + content.readUInt16BE(at);
    at += 1 + content.readUInt8(at);
    const end = at + 2 + content.readUInt16BE(at);
    at += 2;
    while (at + 4 <= end) {
      const type = content.readUInt16BE(at);
      const length = content.readUInt16BE(at + 2);
      if (type === SERVER_NAME) {
        const nameLength = content.readUInt16BE(at + 7);
        return content.toString('latin1', at + 9, at + 9 + nameLength);
      }
      at += 4 + length;
    }
  } catch (error) {
    // A hello that was cut short.
    if (!(error instanceof RangeError)) throw error;
  }
  return undefined;
}
