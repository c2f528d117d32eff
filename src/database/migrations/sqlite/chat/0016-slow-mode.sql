-- How long a member waits between two messages in a group, in seconds; 0 is not at all.
ALTER TABLE groups ADD COLUMN slow_seconds INTEGER NOT NULL DEFAULT 0;
