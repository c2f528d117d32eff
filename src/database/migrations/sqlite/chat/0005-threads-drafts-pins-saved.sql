-- Who follows which thread, and how far they have read it; somebody who left one is not made to follow it again.
CREATE TABLE thread_follows (
  account_id  INTEGER NOT NULL,
  group_id    INTEGER NOT NULL,
  seq         INTEGER NOT NULL,
  is_followed INTEGER NOT NULL,
  read_seq    INTEGER NOT NULL,
  PRIMARY KEY (account_id, group_id, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX followers_of_thread ON thread_follows (group_id, seq) WHERE is_followed;

-- What somebody has begun to write, sealed; thread 0 is the conversation itself.
CREATE TABLE drafts (
  account_id INTEGER NOT NULL,
  group_id   INTEGER NOT NULL,
  thread     INTEGER NOT NULL,
  body       BLOB NOT NULL,
  written_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, group_id, thread)
) STRICT, WITHOUT ROWID;

ALTER TABLE messages ADD COLUMN pinned_at INTEGER;
CREATE INDEX pinned_messages ON messages (group_id, pinned_at) WHERE pinned_at IS NOT NULL;

CREATE TABLE saved_messages (
  account_id INTEGER NOT NULL,
  group_id   INTEGER NOT NULL,
  seq        INTEGER NOT NULL,
  saved_at   INTEGER NOT NULL,
  PRIMARY KEY (account_id, group_id, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX saved_by_time ON saved_messages (account_id, saved_at);
