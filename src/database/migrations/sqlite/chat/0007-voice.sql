-- What is to be turned into text. A row is there until the words stand where they belong: with a recording that is not
-- sent yet it stays 'done', so that they reach the message it is then sent with, also after a crash.
CREATE TABLE transcriptions (
  file_id TEXT PRIMARY KEY,
  account_id INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'working', 'elsewhere', 'done')),
  attempts INTEGER NOT NULL DEFAULT 0,
  interruptions INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX transcriptions_due ON transcriptions (state, due_at);
CREATE INDEX transcriptions_of ON transcriptions (account_id);

-- Who has played which voice message.
CREATE TABLE heard (
  group_id INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  account_id INTEGER NOT NULL,
  heard_at INTEGER NOT NULL,
  PRIMARY KEY (group_id, seq, account_id)
) STRICT, WITHOUT ROWID;

-- Who may correct what a machine wrote down: the author of a voice message, or every member.
ALTER TABLE groups ADD COLUMN corrections TEXT NOT NULL DEFAULT 'author' CHECK (corrections IN ('author', 'members'));
-- Who had written this version, where it was not the author; 0 is the machine.
ALTER TABLE revisions ADD COLUMN writer_id INTEGER;
