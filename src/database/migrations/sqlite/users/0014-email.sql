-- E-mail addresses, sealed, and found by a keyed hash. Only a confirmed one is an account's.
ALTER TABLE accounts ADD COLUMN email BLOB;
ALTER TABLE accounts ADD COLUMN email_index BLOB;
CREATE UNIQUE INDEX accounts_email ON accounts (email_index) WHERE email_index IS NOT NULL;

CREATE TABLE email_confirmations (
  token_index BLOB PRIMARY KEY,
  account_id  INTEGER NOT NULL REFERENCES accounts (id),
  email       BLOB NOT NULL,
  expires_at  INTEGER NOT NULL
) STRICT;

-- Invitations that were sent to somebody, who can decline them.
ALTER TABLE invitations ADD COLUMN email BLOB;
ALTER TABLE invitations ADD COLUMN declined_at INTEGER;
