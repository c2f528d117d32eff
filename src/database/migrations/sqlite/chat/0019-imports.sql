-- Chats of other programs that administrators bring in. The archive lies in the blob store until it is done.
CREATE TABLE imports (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL,
  blob_id    TEXT NOT NULL UNIQUE,
  key        BLOB NOT NULL,
  size       INTEGER NOT NULL,
  state      TEXT NOT NULL,
  details    BLOB NOT NULL,
  done       INTEGER NOT NULL DEFAULT 0,
  total      INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
) STRICT;
