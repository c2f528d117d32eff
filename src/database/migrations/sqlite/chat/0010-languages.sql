-- What is spoken in a group's voice messages: a language code, `none` for no transcripts, null where nobody said.
ALTER TABLE groups ADD COLUMN spoken_language TEXT;
