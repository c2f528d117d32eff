-- What members report to administrators and owners: one for each message and reporter.
CREATE TABLE reports (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  group_id    INTEGER NOT NULL,
  seq         INTEGER NOT NULL,
  reporter_id INTEGER NOT NULL,
  reason      BLOB NOT NULL,
  created_at  INTEGER NOT NULL,
  resolved_at INTEGER,
  UNIQUE (group_id, seq, reporter_id)
) STRICT;

CREATE INDEX reports_open ON reports (id) WHERE resolved_at IS NULL;
