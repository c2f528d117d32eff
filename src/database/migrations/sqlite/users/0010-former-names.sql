-- Usernames can be changed. Nobody else can take a former one, and mentions of it stay mentions.
ALTER TABLE accounts ADD COLUMN renamed_at INTEGER;

CREATE TABLE former_names (
  name_index     BLOB PRIMARY KEY,
  skeleton_index BLOB NOT NULL,
  account_id     INTEGER NOT NULL REFERENCES accounts (id),
  name           BLOB NOT NULL
) STRICT;

CREATE INDEX former_names_of ON former_names (account_id);
