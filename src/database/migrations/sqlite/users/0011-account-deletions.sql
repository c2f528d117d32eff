-- Accounts that are being deleted, so that a restart continues; done of total is for the progress bar.
CREATE TABLE account_deletions (
  account_id   INTEGER PRIMARY KEY,
  token_index  BLOB NOT NULL UNIQUE,
  messages     TEXT NOT NULL,
  requested_at INTEGER NOT NULL,
  done         INTEGER NOT NULL DEFAULT 0,
  total        INTEGER NOT NULL DEFAULT 0
) STRICT;
