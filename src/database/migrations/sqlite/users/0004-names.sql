-- Keyed hashes of what a name looks like (UTS 39 skeleton): null until the name's next start, since names are sealed.
ALTER TABLE accounts ADD COLUMN skeleton_index BLOB;
-- The name that others see, sealed; null is the username.
ALTER TABLE accounts ADD COLUMN display_name BLOB;
ALTER TABLE accounts ADD COLUMN display_skeleton_index BLOB;

CREATE INDEX accounts_by_skeleton ON accounts (skeleton_index);
CREATE INDEX accounts_by_display_skeleton ON accounts (display_skeleton_index);
