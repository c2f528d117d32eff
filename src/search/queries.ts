import type Sqlite from 'better-sqlite3';

/** Where a hit is. `number` orders hits by time and is the cursor of the next page. */
export type Hit = { number: number; groupId: number; seq: number };

/** The change up to which a group is indexed. */
export type Cursor = { groupId: number; change: number };

/** Whether a process writes the index: as before, since now, or not, as another one does. */
export type Claim = 'kept' | 'new' | 'refused';

/** The statements of the index. */
export function prepare(sqlite: Sqlite.Database) {
  return {
    byMessage: sqlite.prepare<[number, number], { number: number }>(
      'SELECT number FROM documents WHERE group_id = ? AND seq = ?',
    ),
    lastOf: sqlite.prepare<[number, number], { number: number | null }>(
      'SELECT max(number) AS number FROM documents WHERE number >= ? AND number < ?',
    ),
    add: sqlite.prepare('INSERT INTO documents (number, group_id, seq) VALUES (?, ?, ?)'),
    addWords: sqlite.prepare('INSERT INTO words (rowid, tokens) VALUES (?, ?)'),
    remove: sqlite.prepare('DELETE FROM documents WHERE number = ?'),
    removeWords: sqlite.prepare('DELETE FROM words WHERE rowid = ?'),
    moveCursor: sqlite.prepare(
      'INSERT INTO cursors (group_id, change) VALUES (?, ?) ON CONFLICT DO UPDATE SET change = excluded.change',
    ),
    removeCursor: sqlite.prepare('DELETE FROM cursors WHERE group_id = ?'),
    cursors: sqlite.prepare<[], Cursor>('SELECT group_id AS groupId, change FROM cursors'),
    upTo: sqlite.prepare<[number, number], { number: number }>(
      'SELECT number FROM documents WHERE group_id = ? AND seq <= ?',
    ),
    ofGroup: sqlite.prepare<[number], { number: number }>('SELECT number FROM documents WHERE group_id = ?'),
    // The rowid is the negated document number, so that ascending order yields the newest first: in descending order,
    // FTS5 would read the list of every word to its end. The bounds are BigInts, since a JavaScript number is not
    // bound as an integer, and only with integers does FTS5 begin at the bound.
    matching: sqlite.prepare<[string, bigint, bigint, number], Hit>(
      `SELECT number, group_id AS groupId, seq FROM words JOIN documents ON number = -words.rowid
       WHERE words MATCH ? AND words.rowid > ? AND words.rowid <= ? ORDER BY words.rowid LIMIT ?`,
    ),
    countMatching: sqlite.prepare<[string, bigint, bigint, number], { count: number }>(
      `SELECT count(*) AS count FROM
         (SELECT 1 FROM words WHERE words MATCH ? AND words.rowid > ? AND words.rowid <= ? LIMIT ?)`,
    ),
    countNewest: sqlite.prepare<[string, bigint, bigint, number], { count: number }>(
      `SELECT count(*) AS count FROM
         (SELECT 1 FROM documents WHERE group_id IN (SELECT value FROM json_each(?)) AND number >= ? AND number < ? LIMIT ?)`,
    ),
    // Merging in steps as the documentation of FTS5 has it (sqlite.org/fts5.html, "The 'merge' Command").
    merge: sqlite.prepare("INSERT INTO words (words, rank) VALUES ('merge', ?)"),
    changes: sqlite.prepare<[], { changes: number }>('SELECT total_changes() AS changes'),
    // The plus keeps SQLite from using the index by group: it would then sort all rows to find the newest twenty.
    newest: sqlite.prepare<[string, bigint, bigint, number], Hit>(
      `SELECT number, group_id AS groupId, seq FROM documents
       WHERE +group_id IN (SELECT value FROM json_each(?)) AND number >= ? AND number < ?
       ORDER BY number DESC LIMIT ?`,
    ),
  };
}
