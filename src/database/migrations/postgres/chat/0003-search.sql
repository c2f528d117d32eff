-- The blind index of search: keyed hashes of words, which is made from the messages and can be emptied while no Hearth runs.
CREATE TABLE search_documents (
  group_id bigint NOT NULL,
  seq      bigint NOT NULL,
  -- The time of the message, times 2,048, and the lowest bits of its number.
  number   bigint NOT NULL,
  tokens   bigint[] NOT NULL,
  PRIMARY KEY (group_id, seq)
);
CREATE INDEX search_documents_by_token ON search_documents USING gin (tokens);
CREATE INDEX search_documents_by_time ON search_documents (number);

CREATE TABLE search_cursors (
  group_id bigint PRIMARY KEY,
  change   bigint NOT NULL
);

-- Which secret and version the tokens are made with.
CREATE TABLE search_meta (
  fingerprint text COLLATE "C" PRIMARY KEY
);
