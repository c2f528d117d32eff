-- What one member is told of a group while away; null is the default: mentions in groups, everything in direct conversations.
ALTER TABLE memberships ADD COLUMN bell TEXT CHECK (bell IN ('mentions', 'everything', 'nothing', 'hidden'));
CREATE INDEX memberships_with_bell ON memberships (group_id, account_id) WHERE bell IS NOT NULL;
