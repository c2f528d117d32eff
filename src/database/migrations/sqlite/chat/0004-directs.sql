-- A direct conversation is a group that is listed nowhere and has the members it was made with. Its name_index is made
-- from their ids, so that the same people have one.
ALTER TABLE groups ADD COLUMN kind TEXT NOT NULL DEFAULT 'group' CHECK (kind IN ('group', 'direct'));
