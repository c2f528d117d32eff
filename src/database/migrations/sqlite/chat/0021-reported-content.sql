-- What a message said when it was reported; null once the report is answered, and for earlier reports.
ALTER TABLE reports ADD COLUMN content BLOB;
