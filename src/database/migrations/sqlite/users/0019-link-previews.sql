-- Whether the links that somebody sends get a preview, and whether previews are shown to them.
ALTER TABLE accounts ADD COLUMN has_previews INTEGER NOT NULL DEFAULT 1;
