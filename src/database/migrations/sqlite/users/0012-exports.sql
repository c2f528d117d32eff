-- What people have asked to download of their own: one archive each, sealed in the folder of files for a day.
CREATE TABLE account_exports (
  account_id INTEGER PRIMARY KEY REFERENCES accounts (id),
  blob_id    TEXT NOT NULL,
  key        BLOB NOT NULL,
  state      TEXT NOT NULL,
  size       INTEGER NOT NULL DEFAULT 0,
  done       INTEGER NOT NULL DEFAULT 0,
  total      INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
) STRICT;
