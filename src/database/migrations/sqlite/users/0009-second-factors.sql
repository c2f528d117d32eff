-- The secret of an authenticator app; in force once a code of it was entered. last_step is the newest code's: none works twice.
CREATE TABLE authenticators (
  account_id   INTEGER PRIMARY KEY REFERENCES accounts (id),
  secret       BLOB NOT NULL,
  confirmed_at INTEGER,
  last_step    INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Codes that stand in for the app, each once. Only a keyed hash of them is stored.
CREATE TABLE recovery_codes (
  code_index BLOB PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES accounts (id)
) STRICT;

CREATE INDEX recovery_codes_of ON recovery_codes (account_id);
