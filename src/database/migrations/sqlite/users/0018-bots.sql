-- Accounts of programs, with which nobody signs in.
ALTER TABLE accounts ADD COLUMN is_bot INTEGER NOT NULL DEFAULT 0;
