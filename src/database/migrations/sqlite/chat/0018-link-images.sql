-- The small picture of the preview of a message's link, sealed. Its words are with the message.
CREATE TABLE link_images (
  group_id INTEGER NOT NULL,
  seq      INTEGER NOT NULL,
  image    BLOB NOT NULL,
  PRIMARY KEY (group_id, seq)
) STRICT;
