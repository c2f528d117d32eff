-- What a face is compared with when its owner signs in: numbers or small pictures of an engine, sealed.
CREATE TABLE face_templates (
  account_id INTEGER PRIMARY KEY REFERENCES accounts (id),
  engine     TEXT NOT NULL,
  template   BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
