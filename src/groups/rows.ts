import { type BlindIndex, foldCase } from '../crypto/blind-index.ts';
import { SEALED, type Sealer } from '../database/sealed-columns.ts';
import type { groups } from '../database/tables/chat.ts';
import type { Group } from './group.ts';

type Row = typeof groups.$inferSelect;

const sealed = SEALED.groups.columns;

/** Groups as they are stored: names are sealed, and unique by their blind index. */
export class GroupRows {
  readonly #sealer: Sealer;
  readonly #nameIndex: BlindIndex;

  constructor(sealer: Sealer, nameIndex: BlindIndex) {
    this.#sealer = sealer;
    this.#nameIndex = nameIndex;
  }

  indexOf(name: string): Buffer {
    return this.#nameIndex(foldCase(name));
  }

  sealName(nameIndex: Buffer, name: string): Buffer {
    return this.#sealer.seal(sealed.name, { nameIndex }, name);
  }

  open({ nameIndex, createdAt: _created, deletedAt: _deleted, name, topic, ...row }: Row): Group {
    return {
      ...row,
      name: this.#sealer.open(sealed.name, { nameIndex }, name),
      topic: topic ? this.#sealer.open(sealed.topic, row, topic) : '',
    };
  }

  added(kind: Group['kind'], nameIndex: Buffer, name: string, creatorId: number | null, createdAt: number) {
    const sealedName = this.sealName(nameIndex, name);
    return { kind, nameIndex, name: sealedName, creatorId, createdAt, lastSeq: 0, lastChange: 0 };
  }
}
