import { boundsOf, PER_MILLISECOND, type Query, type Tokens } from './tokens.ts';

/** Searches at the same time; what needs one more connection waits. */
export const MAX_READERS = 3;

/**
 * Documents of one time get numbers one after another, so that pages of hits can begin below a number. The tokens of each
 * go as text: an array of arrays would have to be a matrix.
 */
export const INSERT = `
  INSERT INTO search_documents (group_id, seq, number, tokens)
  SELECT new.group_id, new.seq, coalesce(old.number, next.number + row_number() OVER of_time - 1), new.tokens::bigint[]
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[]) AS new (group_id, seq, first, tokens)
  LEFT JOIN search_documents AS old ON old.group_id = new.group_id AND old.seq = new.seq
  CROSS JOIN LATERAL (
    SELECT coalesce(max(number) + 1, new.first) AS number FROM search_documents
    WHERE number >= new.first AND number < new.first + ${PER_MILLISECOND}
  ) AS next
  WINDOW of_time AS (PARTITION BY new.first, old.number IS NULL ORDER BY new.group_id, new.seq)
  ON CONFLICT (group_id, seq) DO UPDATE SET tokens = excluded.tokens`;

/** Which documents a query wants, as SQL with its values. */
export function conditionOf(query: Query, tokens: Tokens): { where: string; values: unknown[] } {
  const { from, to } = boundsOf(query);
  const values: unknown[] = [from.toString(), to.toString()];
  const time = 'number >= $1 AND number < $2';
  if (query.keys.length === 0) {
    values.push(query.groupIds);
    return { where: `${time} AND group_id = ANY($3)`, values };
  }
  const groups = query.groupIds.map((groupId) => {
    values.push(tokens.of(groupId, query.keys));
    return `tokens @> $${values.length}::bigint[]`;
  });
  return { where: `${time} AND (${groups.join(' OR ')})`, values };
}
