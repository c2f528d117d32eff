-- How many of the messages that a member has not read were removed: they do not count as unread.
ALTER TABLE memberships ADD COLUMN removed_unread INTEGER NOT NULL DEFAULT 0;

CREATE INDEX messages_removed ON messages (group_id, seq) WHERE removed_at IS NOT NULL;

UPDATE memberships SET removed_unread = (
  SELECT count(*) FROM messages
  WHERE messages.group_id = memberships.group_id AND messages.seq > memberships.read_seq AND removed_at IS NOT NULL
);
