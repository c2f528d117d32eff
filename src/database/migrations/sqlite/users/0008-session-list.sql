-- Which sessions an account has: what its page of sessions shows. The sessions themselves are in sessions.sqlite3.
CREATE TABLE session_list (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  session_index BLOB NOT NULL UNIQUE,
  account_id    INTEGER NOT NULL REFERENCES accounts (id),
  epoch         INTEGER NOT NULL,
  details       BLOB NOT NULL,
  started_at    INTEGER NOT NULL,
  used_at       INTEGER NOT NULL
) STRICT;

CREATE INDEX session_list_of ON session_list (account_id);
