-- Addresses at which programs post in a group, and those that Hearth tells of messages. A keyed hash of the secret finds
-- one; the secret and the address are sealed. `seq` is the last message that was considered.
CREATE TABLE webhooks (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  group_id      INTEGER NOT NULL,
  account_id    INTEGER NOT NULL,
  creator_id    INTEGER NOT NULL,
  kind          TEXT NOT NULL,
  secret_index  BLOB NOT NULL UNIQUE,
  details       BLOB NOT NULL,
  seq           INTEGER NOT NULL DEFAULT 0,
  created_at    INTEGER NOT NULL,
  used_at       INTEGER,
  failing_since INTEGER,
  failure       TEXT,
  stopped_at    INTEGER
) STRICT;

CREATE INDEX webhooks_of ON webhooks (group_id);

-- Messages that a webhook is still to be told of.
CREATE TABLE webhook_deliveries (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  webhook_id INTEGER NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
  seq        INTEGER NOT NULL,
  attempts   INTEGER NOT NULL DEFAULT 0,
  due_at     INTEGER NOT NULL,
  UNIQUE (webhook_id, seq)
) STRICT;

CREATE INDEX webhook_deliveries_due ON webhook_deliveries (due_at);
