import { and, eq } from 'drizzle-orm';
import type { Database } from '../database/executor.ts';
import { SEALED, type Sealer } from '../database/sealed-columns.ts';
import { linkImages } from '../database/tables/links.ts';

const { image: sealedImage } = SEALED.linkImages.columns;

/** The pictures of previews, by the message that has the link. */
export class LinkImageStore {
  readonly #db: Database;
  readonly #sealer: Sealer;

  constructor(db: Database, sealer: Sealer) {
    this.#db = db;
    this.#sealer = sealer;
  }

  /** @param webp replaces the one before */
  async set(groupId: number, seq: number, webp: Buffer): Promise<void> {
    const image = this.#sealer.seal(sealedImage, { groupId, seq }, webp.toString('base64'));
    await this.#db.run((orm) =>
      orm
        .insert(linkImages)
        .values({ groupId, seq, image })
        .onConflictDoUpdate({ target: [linkImages.groupId, linkImages.seq], set: { image } }),
    );
  }

  async of(groupId: number, seq: number): Promise<Buffer | undefined> {
    const row = await this.#db.get((orm) => orm.select().from(linkImages).where(isOf(groupId, seq)));
    return row && Buffer.from(this.#sealer.open(sealedImage, row, row.image), 'base64');
  }

  async remove(groupId: number, seq: number): Promise<void> {
    await this.#db.run((orm) => orm.delete(linkImages).where(isOf(groupId, seq)));
  }
}

function isOf(groupId: number, seq: number) {
  return and(eq(linkImages.groupId, groupId), eq(linkImages.seq, seq));
}
