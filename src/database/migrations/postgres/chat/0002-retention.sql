-- How long messages and how much of files are kept: null is as for all groups, 0 is without limit.
ALTER TABLE groups ADD COLUMN keep_days bigint;
ALTER TABLE groups ADD COLUMN keep_megabytes bigint;
-- Since when nothing in it may be removed.
ALTER TABLE groups ADD COLUMN held_at bigint;
-- Messages up to this one are no longer kept, but for first messages of threads that go on.
ALTER TABLE groups ADD COLUMN purged_seq bigint NOT NULL DEFAULT 0;
