/**
 * The fields of a row from which the additional authenticated data (AAD) of a value is built: they identify the row.
 */
export type RowOf<Column> = Column extends SealedColumn<infer Row> ? Row : never;

export type SealedColumn<Row> = Readonly<{
  /** Its name as a property of the table. */
  column: string;
  /** Names the sub-key of the keyring. */
  purpose: string;
  aad(row: Row): string;
}>;

export const hex = (index: Buffer) => index.toString('hex');

export function sealedColumn<Row>(
  column: string,
  purpose: string,
  aad: (row: Row) => string,
): SealedColumn<Row> {
  return Object.freeze({ column, purpose, aad });
}
