-- What programs sign in with. A keyed hash finds the token; its label is sealed. One of an earlier epoch is void.
CREATE TABLE api_tokens (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id  INTEGER NOT NULL REFERENCES accounts (id),
  token_index BLOB NOT NULL UNIQUE,
  kind        TEXT NOT NULL,
  label       BLOB NOT NULL,
  scopes      TEXT NOT NULL,
  epoch       INTEGER NOT NULL,
  created_at  INTEGER NOT NULL,
  expires_at  INTEGER,
  used_at     INTEGER
) STRICT;

CREATE INDEX api_tokens_of ON api_tokens (account_id);
