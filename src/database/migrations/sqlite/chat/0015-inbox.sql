-- Each member's private line to the administrators: a conversation of its own, and what only administrators know of it.
ALTER TABLE groups ADD COLUMN line_of INTEGER;
CREATE UNIQUE INDEX groups_line_of ON groups (line_of) WHERE line_of IS NOT NULL;

CREATE TABLE inbox_lines (
  group_id      INTEGER PRIMARY KEY,
  waiting_since INTEGER,
  noted_seq     INTEGER NOT NULL DEFAULT 0,
  assignee_id   INTEGER,
  note          BLOB,
  done_at       INTEGER
) STRICT;
