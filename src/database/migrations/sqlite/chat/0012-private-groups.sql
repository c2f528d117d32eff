-- Who sees a group and joins it, who writes in it, what it is about, and when it was archived.
ALTER TABLE groups ADD COLUMN access TEXT NOT NULL DEFAULT 'open';
ALTER TABLE groups ADD COLUMN posting TEXT NOT NULL DEFAULT 'members';
ALTER TABLE groups ADD COLUMN topic BLOB;
ALTER TABLE groups ADD COLUMN archived_at INTEGER;

ALTER TABLE memberships ADD COLUMN is_owner INTEGER NOT NULL DEFAULT 0;
UPDATE memberships SET is_owner = 1 WHERE EXISTS (
  SELECT 1 FROM groups WHERE groups.id = memberships.group_id AND groups.kind = 'group'
    AND groups.creator_id = memberships.account_id
);

CREATE TABLE join_requests (
  group_id   INTEGER NOT NULL,
  account_id INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (group_id, account_id)
) STRICT;

-- Whom an owner removed from a group: an owner has to let them in again.
CREATE TABLE removed_members (
  group_id   INTEGER NOT NULL,
  account_id INTEGER NOT NULL,
  PRIMARY KEY (group_id, account_id)
) STRICT;
