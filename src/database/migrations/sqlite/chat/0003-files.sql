-- What people send beside words; the bytes lie sealed under data/media, under the id.
CREATE TABLE files (
  id         TEXT PRIMARY KEY,
  group_id   INTEGER NOT NULL REFERENCES groups (id),
  account_id INTEGER NOT NULL,
  -- The message it was sent with; null until then.
  seq        INTEGER,
  size       INTEGER NOT NULL,
  -- Name, type, dimensions and the key of the bytes, sealed.
  about      BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX files_of_message ON files (group_id, seq);
CREATE INDEX files_of_account ON files (account_id, size);
CREATE INDEX files_unsent ON files (created_at) WHERE seq IS NULL;
