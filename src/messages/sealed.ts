import { SEALED, type Sealer } from '../database/sealed-columns.ts';
import { type Message, type MessageMetadata, NO_METADATA, type Revision } from './message.ts';

type SealedParts = { body: Buffer; metadata: Buffer | null };
/** A message as it is stored. */
export type SealedMessage = Omit<Message, 'content' | keyof MessageMetadata> & SealedParts;
type RevisionRow = {
  groupId: number;
  change: number;
  body: Buffer;
  writtenAt: number;
  writerId: number | null;
};

const { body: sealedBody, metadata: sealedMetadata } = SEALED.messages.columns;
const { body: sealedRevision } = SEALED.revisions.columns;

/** Seals what people wrote, and opens rows. */
export class SealedMessages {
  readonly #sealer: Sealer;

  constructor(sealer: Sealer) {
    this.#sealer = sealer;
  }

  /** @throws Error when a value was moved or changed */
  open(row: SealedMessage): Message {
    const { body, metadata, ...rest } = row;
    return {
      ...rest,
      content: this.#sealer.open(sealedBody, row, body),
      ...NO_METADATA,
      // The cast is safe: only `seal` below writes this value, and opening it authenticates it.
      ...(metadata &&
        (JSON.parse(this.#sealer.open(sealedMetadata, row, metadata)) as Partial<MessageMetadata>)),
    };
  }

  openRevision(id: string, { writtenAt, writerId, ...row }: RevisionRow): Revision {
    const content = this.#sealer.open(sealedRevision, { ...row, id }, row.body);
    return { change: row.change, writerId, content, writtenAt };
  }

  seal(message: { groupId: number; id: string; content: string } & Partial<MessageMetadata>): SealedParts {
    const metadata = metadataOf(message);
    return {
      body: this.#sealer.seal(sealedBody, message, message.content),
      metadata: metadata === undefined ? null : this.#sealer.seal(sealedMetadata, message, metadata),
    };
  }

  sealRevision(before: Message): Buffer {
    return this.#sealer.seal(sealedRevision, before, before.content);
  }
}

/** As JSON; undefined for the many messages that have nothing of it. */
function metadataOf(message: Partial<MessageMetadata>): string | undefined {
  const {
    reactions = [],
    mentions = [],
    mentionsAll = false,
    files = [],
    removedBecause = '',
    preview,
  } = message;
  const hasLists = reactions.length > 0 || mentions.length > 0 || files.length > 0;
  if (!hasLists && !mentionsAll && removedBecause === '' && !preview) return undefined;
  return JSON.stringify({
    reactions,
    mentions,
    mentionsAll,
    files,
    ...(removedBecause && { removedBecause }),
    ...(preview && { preview }),
  });
}
