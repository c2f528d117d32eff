import { LRUCache } from 'lru-cache';
import type { Cipher } from '../crypto/cipher.ts';
import { type Extras, type Message, NO_EXTRAS, type Revision } from './message.ts';

/** Newly written and lately read messages stay opened in memory: a message is pushed, paged and listed many times. */
const CACHED_CHARACTERS = 16_000_000;
/** What a message takes beside its text, counted in characters. */
const BESIDE_TEXT = 300;
/** So many of the newest changes are known by their number: more than one commit has. */
const KEPT_CHANGES = 5_000;

type SealedParts = { body: Buffer; extras: Buffer | null };
type Row = Omit<Message, 'content' | keyof Extras> & SealedParts;
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
  seal(message: { groupId: number; id: string; content: string } & Partial<Extras>): SealedParts;
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
  const bodyPlace = (groupId: number, id: string) => `messages/${groupId}/${id}`;
  const extrasPlace = (groupId: number, id: string) => `extras/${groupId}/${id}`;
  const revisionPlace = (groupId: number, id: string, change: number) =>
    `revisions/${groupId}/${id}/${change}`;

  function keep(message: Message): Message {
    opened.set(`${message.groupId}/${message.seq}`, message);
    seqs.set(`${message.groupId}/${message.change}`, message.seq);
    return message;
  }

  return {
    keep,
    open(row) {
      const known = opened.get(`${row.groupId}/${row.seq}`);
      if (known?.change === row.change) return known;
      const { body, extras, ...rest } = row;
      return keep({
        ...rest,
        content: cipher.open(bodyPlace(row.groupId, row.id), body),
        // What `seal` below wrote, and nobody else can have.
        ...NO_EXTRAS,
        ...(extras && (JSON.parse(cipher.open(extrasPlace(row.groupId, row.id), extras)) as Partial<Extras>)),
      });
    },
    openRevision: (id, { groupId, change, body, writtenAt, writerId }) => ({
      change,
      writerId,
      content: cipher.open(revisionPlace(groupId, id, change), body),
      writtenAt,
    }),
    seal({ groupId, id, content, reactions = [], mentions = [], mentionsAll = false, files = [] }) {
      const hasExtras = reactions.length > 0 || mentions.length > 0 || mentionsAll || files.length > 0;
      return {
        body: cipher.seal(bodyPlace(groupId, id), content),
        extras: hasExtras
          ? cipher.seal(extrasPlace(groupId, id), JSON.stringify({ reactions, mentions, mentionsAll, files }))
          : null,
      };
    },
    sealRevision: (id, { groupId, change, content }) =>
      cipher.seal(revisionPlace(groupId, id, change), content),
    reseal({ groupId, id, body, extras }) {
      if (cipher.isCurrent(body) && (extras === null || cipher.isCurrent(extras))) return undefined;
      const anew = (place: string, value: Buffer) => cipher.seal(place, cipher.open(place, value));
      return {
        body: anew(bodyPlace(groupId, id), body),
        extras: extras && anew(extrasPlace(groupId, id), extras),
      };
    },
    resealRevision({ groupId, id, change, body }) {
      if (cipher.isCurrent(body)) return undefined;
      const place = revisionPlace(groupId, id, change);
      return cipher.seal(place, cipher.open(place, body));
    },
    kept(groupId, first, last) {
      const found: Message[] = [];
      for (let seq = first; seq <= last; seq++) {
        const message = opened.get(`${groupId}/${seq}`);
        if (!message) return undefined;
        found.push(message);
      }
      return found;
    },
    keptChanges(groupId, first, last) {
      const found: Message[] = [];
      for (let change = first; change <= last; change++) {
        const message = opened.get(`${groupId}/${seqs.get(`${groupId}/${change}`)}`);
        if (message?.change !== change) return undefined;
        found.push(message);
      }
      return found;
    },
  };
}
