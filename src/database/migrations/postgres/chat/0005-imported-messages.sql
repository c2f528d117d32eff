-- Messages up to this one may be older than those before them, as they were brought in from elsewhere.
ALTER TABLE groups ADD COLUMN imported_seq bigint NOT NULL DEFAULT 0;
UPDATE groups SET imported_seq = last_seq WHERE EXISTS (SELECT 1 FROM imports WHERE state = 'done');
