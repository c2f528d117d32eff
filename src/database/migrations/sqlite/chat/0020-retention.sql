-- How long messages and how much of files are kept: null is as for all groups, 0 is without limit.
ALTER TABLE groups ADD COLUMN keep_days INTEGER;
ALTER TABLE groups ADD COLUMN keep_megabytes INTEGER;
-- Since when nothing in it may be removed.
ALTER TABLE groups ADD COLUMN held_at INTEGER;
-- Messages up to this one are no longer kept, but for first messages of threads that go on.
ALTER TABLE groups ADD COLUMN purged_seq INTEGER NOT NULL DEFAULT 0;
