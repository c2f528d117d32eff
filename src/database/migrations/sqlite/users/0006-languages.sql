-- What a person speaks in voice messages: a language code, `none` for no transcripts, null where they did not say.
ALTER TABLE accounts ADD COLUMN spoken_language TEXT;
-- Whether times are shown with their seconds.
ALTER TABLE accounts ADD COLUMN shows_seconds INTEGER NOT NULL DEFAULT 0;
