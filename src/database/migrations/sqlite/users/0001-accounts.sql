CREATE TABLE encryption_keys (
  key_id        TEXT PRIMARY KEY,
  first_used_at INTEGER NOT NULL
) STRICT;

CREATE TABLE secrets (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT;

CREATE TABLE accounts (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  name_index    BLOB NOT NULL UNIQUE,
  name          BLOB NOT NULL,
  password_hash TEXT NOT NULL,
  is_admin      INTEGER NOT NULL,
  session_epoch INTEGER NOT NULL,
  created_at    INTEGER NOT NULL
) STRICT;
