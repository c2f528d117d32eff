CREATE TABLE encryption_keys (
  key_id        TEXT PRIMARY KEY,
  first_used_at INTEGER NOT NULL
) STRICT;

CREATE TABLE secrets (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT;

CREATE TABLE groups (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  name_index  BLOB NOT NULL UNIQUE,
  name        BLOB NOT NULL,
  creator_id  INTEGER,
  created_at  INTEGER NOT NULL,
  last_seq    INTEGER NOT NULL,
  last_change INTEGER NOT NULL
) STRICT;

CREATE TABLE memberships (
  account_id INTEGER NOT NULL,
  group_id   INTEGER NOT NULL REFERENCES groups (id),
  read_seq   INTEGER NOT NULL,
  read_at    INTEGER NOT NULL,
  joined_at  INTEGER NOT NULL,
  PRIMARY KEY (account_id, group_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX memberships_of_group ON memberships (group_id, account_id);

-- Without a rowid the messages of a group lie together in order, so that a page of history is one range.
CREATE TABLE messages (
  group_id   INTEGER NOT NULL REFERENCES groups (id),
  seq        INTEGER NOT NULL,
  id         TEXT NOT NULL UNIQUE,
  change     INTEGER NOT NULL,
  author_id  INTEGER NOT NULL,
  body       BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  edited_at  INTEGER,
  removed_at INTEGER,
  PRIMARY KEY (group_id, seq)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX messages_by_change ON messages (group_id, change);
