ALTER TABLE memberships ADD COLUMN last_mention_seq INTEGER NOT NULL DEFAULT 0;

-- What a message answers, and the first message of the thread that it belongs to; both are numbers of its group.
ALTER TABLE messages ADD COLUMN reply_to INTEGER;
ALTER TABLE messages ADD COLUMN thread INTEGER;
ALTER TABLE messages ADD COLUMN reply_count INTEGER NOT NULL DEFAULT 0;
-- Reactions and mentions, sealed; null for the many messages that have neither.
ALTER TABLE messages ADD COLUMN extras BLOB;

CREATE INDEX messages_of_thread ON messages (group_id, thread, seq) WHERE thread IS NOT NULL;

-- What a message said before it was edited, under the change that had written it.
CREATE TABLE revisions (
  group_id   INTEGER NOT NULL,
  seq        INTEGER NOT NULL,
  change     INTEGER NOT NULL,
  body       BLOB NOT NULL,
  written_at INTEGER NOT NULL,
  PRIMARY KEY (group_id, seq, change),
  FOREIGN KEY (group_id, seq) REFERENCES messages (group_id, seq)
) STRICT, WITHOUT ROWID;
