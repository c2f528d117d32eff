-- Up to which message of a group its members' devices were notified, or a process is about to do so. What there is already counts as notified.
CREATE TABLE notified_groups (
  group_id INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL
) STRICT;
INSERT INTO notified_groups (group_id, seq) SELECT id, last_seq FROM groups;
