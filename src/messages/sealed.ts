import { LRUCache } from 'lru-cache';
import type { Cipher } from '../crypto/cipher.ts';
import { type Message, type MessageMetadata, NO_METADATA, type Revision } from './message.ts';

/** Newly written and lately read messages stay opened in memory: a message is pushed, paged and listed many times. */
const CACHED_CHARACTERS = 16_000_000;
/** What a message takes beside its text, counted in characters. */
const BESIDE_TEXT = 300;
/** Maximum number of recent changes whose messages are found by change number; more than one commit holds. */
const KEPT_CHANGES = 5_000;

type SealedParts = { body: Buffer; metadata: Buffer | null };
type Row = Omit<Message, 'content' | keyof MessageMetadata> & SealedParts;
type RevisionRow = {
  groupId: number;
  seq: number;
  change: number;
  body: Buffer;
  writtenAt: number;
  writerId: number | null;
};

/** Seals what people wrote, opens rows, and keeps what is open. */
export type SealedMessages = {
  /** @throws Error when a value was moved or changed */
  open(row: Row): Message;
  openRevision(id: string, row: RevisionRow): Revision;
  seal(message: { groupId: number; id: string; content: string } & Partial<MessageMetadata>): SealedParts;
  sealRevision(id: string, before: Pick<Message, 'groupId' | 'change' | 'content'>): Buffer;
  /** The parts sealed with the current key; undefined where they are already. */
  reseal(row: { groupId: number; id: string } & SealedParts): SealedParts | undefined;
  resealRevision(row: RevisionRow & { id: string }): Buffer | undefined;
  keep(message: Message): Message;
  /** All of a range from memory, or undefined where one is missing. */
  kept(groupId: number, firstSeq: number, lastSeq: number): Message[] | undefined;
  /** The same for a range of changes, where each is still the newest of its message. */
  keptChanges(groupId: number, firstChange: number, lastChange: number): Message[] | undefined;
};

export function createSealedMessages(cipher: Cipher): SealedMessages {
  const opened = new LRUCache<string, Message>({
    maxSize: CACHED_CHARACTERS,
    sizeCalculation: ({ content }) => content.length + BESIDE_TEXT,
  });
  const seqs = new LRUCache<string, number>({ max: KEPT_CHANGES });
  const bodyAad = (groupId: number, id: string) => `messages/${groupId}/${id}`;
  const metadataAad = (groupId: number, id: string) => `extras/${groupId}/${id}`;
  const revisionAad = (groupId: number, id: string, change: number) => `revisions/${groupId}/${id}/${change}`;

  function keep(message: Message): Message {
    opened.set(`${message.groupId}/${message.seq}`, message);
    seqs.set(`${message.groupId}/${message.change}`, message.seq);
    return message;
  }

  return {
    keep,
    open(row) {
      const cached = opened.get(`${row.groupId}/${row.seq}`);
      if (cached?.change === row.change) return cached;
      const { body, metadata, ...rest } = row;
      return keep({
        ...rest,
        content: cipher.open(bodyAad(row.groupId, row.id), body),
        // What `seal` below wrote, and nobody else can have.
        ...NO_METADATA,
        ...(metadata &&
          (JSON.parse(cipher.open(metadataAad(row.groupId, row.id), metadata)) as Partial<MessageMetadata>)),
      });
    },
    openRevision: (id, { groupId, change, body, writtenAt, writerId }) => ({
      change,
      writerId,
      content: cipher.open(revisionAad(groupId, id, change), body),
      writtenAt,
    }),
    seal({ groupId, id, content, reactions = [], mentions = [], mentionsAll = false, files = [] }) {
      const hasMetadata = reactions.length > 0 || mentions.length > 0 || mentionsAll || files.length > 0;
      return {
        body: cipher.seal(bodyAad(groupId, id), content),
        metadata: hasMetadata
          ? cipher.seal(metadataAad(groupId, id), JSON.stringify({ reactions, mentions, mentionsAll, files }))
          : null,
      };
    },
    sealRevision: (id, { groupId, change, content }) =>
      cipher.seal(revisionAad(groupId, id, change), content),
    reseal({ groupId, id, body, metadata }) {
      if (cipher.isCurrent(body) && (metadata === null || cipher.isCurrent(metadata))) return undefined;
      const reseal = (aad: string, value: Buffer) => cipher.seal(aad, cipher.open(aad, value));
      return {
        body: reseal(bodyAad(groupId, id), body),
        metadata: metadata && reseal(metadataAad(groupId, id), metadata),
      };
    },
    resealRevision({ groupId, id, change, body }) {
      if (cipher.isCurrent(body)) return undefined;
      const aad = revisionAad(groupId, id, change);
      return cipher.seal(aad, cipher.open(aad, body));
    },
    kept(groupId, first, last) {
      const cachedMessages: Message[] = [];
      for (let seq = first; seq <= last; seq++) {
        const message = opened.get(`${groupId}/${seq}`);
        if (!message) return undefined;
        cachedMessages.push(message);
      }
      return cachedMessages;
    },
    keptChanges(groupId, first, last) {
      const cachedMessages: Message[] = [];
      for (let change = first; change <= last; change++) {
        const message = opened.get(`${groupId}/${seqs.get(`${groupId}/${change}`)}`);
        if (message?.change !== change) return undefined;
        cachedMessages.push(message);
      }
      return cachedMessages;
    },
  };
}
