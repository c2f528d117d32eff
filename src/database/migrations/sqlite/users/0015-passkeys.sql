-- Passkeys (WebAuthn). The credential's id and public key are sealed; a keyed hash of the id finds them.
CREATE TABLE passkeys (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  credential_index BLOB NOT NULL UNIQUE,
  account_id       INTEGER NOT NULL REFERENCES accounts (id),
  details          BLOB NOT NULL,
  counter          INTEGER NOT NULL,
  created_at       INTEGER NOT NULL,
  used_at          INTEGER
) STRICT;

CREATE INDEX passkeys_of ON passkeys (account_id);
