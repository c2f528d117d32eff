-- A line about oneself and a picture, sealed; the version counts up with each new picture, 0 is none.
ALTER TABLE accounts ADD COLUMN line BLOB;
ALTER TABLE accounts ADD COLUMN picture BLOB;
ALTER TABLE accounts ADD COLUMN picture_version INTEGER NOT NULL DEFAULT 0;
-- Whether others see what this account has read; one who hides it does not see theirs.
ALTER TABLE accounts ADD COLUMN shows_receipts INTEGER NOT NULL DEFAULT 1;
