-- Minutes of the day in a time zone of their own between which nobody is disturbed; null is none.
ALTER TABLE accounts ADD COLUMN quiet_from INTEGER;
ALTER TABLE accounts ADD COLUMN quiet_to INTEGER;
ALTER TABLE accounts ADD COLUMN quiet_zone TEXT;

-- Where a browser's vendor takes messages for it: address, keys and the device's name, sealed.
CREATE TABLE push_subscriptions (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id     INTEGER NOT NULL REFERENCES accounts (id),
  endpoint_index BLOB NOT NULL UNIQUE,
  session_index  BLOB NOT NULL,
  subscription   BLOB NOT NULL,
  created_at     INTEGER NOT NULL,
  delivered_at   INTEGER
) STRICT;

CREATE INDEX push_subscriptions_of ON push_subscriptions (account_id);
