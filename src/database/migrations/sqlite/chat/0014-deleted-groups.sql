-- A deleted group is hidden at once; its rows are removed in the background, also after a restart.
ALTER TABLE groups ADD COLUMN deleted_at INTEGER;
