-- Null is a person who may sign in.
ALTER TABLE accounts ADD COLUMN suspended_at INTEGER;

-- What administrators set while Hearth runs; what they did not set has no row.
CREATE TABLE site_settings (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

-- What administrators did: who, what and to whom. Each hash covers its entry and the hash before it.
CREATE TABLE audit_log (
  id       INTEGER PRIMARY KEY,
  at       INTEGER NOT NULL,
  actor_id INTEGER,
  action   TEXT NOT NULL,
  details  BLOB NOT NULL,
  hash     BLOB NOT NULL
) STRICT;

-- How many entries there are, with a hash, so that entries which were removed from the end are missed.
CREATE TABLE audit_head (
  id      INTEGER PRIMARY KEY CHECK (id = 1),
  entries INTEGER NOT NULL,
  hash    BLOB NOT NULL
) STRICT;

-- A link that lets people in; null in expires_at and max_uses is without end.
CREATE TABLE invitations (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  code_index BLOB NOT NULL UNIQUE,
  code       BLOB NOT NULL,
  creator_id INTEGER NOT NULL REFERENCES accounts (id),
  group_ids  TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  max_uses   INTEGER,
  uses       INTEGER NOT NULL DEFAULT 0,
  revoked_at INTEGER
) STRICT;

CREATE INDEX invitations_of ON invitations (creator_id);

CREATE TABLE invitation_uses (
  invitation_id INTEGER NOT NULL REFERENCES invitations (id),
  account_id    INTEGER NOT NULL REFERENCES accounts (id),
  used_at       INTEGER NOT NULL,
  PRIMARY KEY (invitation_id, account_id)
) STRICT;

-- A link that signs an account in once: to choose a new password, or on another device.
CREATE TABLE sign_in_links (
  token_index BLOB PRIMARY KEY,
  account_id  INTEGER NOT NULL REFERENCES accounts (id),
  kind        TEXT NOT NULL,
  expires_at  INTEGER NOT NULL
) STRICT;

CREATE INDEX sign_in_links_of ON sign_in_links (account_id);
