-- Guests see the groups that they were invited to, and the people in them.
ALTER TABLE accounts ADD COLUMN is_guest INTEGER NOT NULL DEFAULT 0;
ALTER TABLE invitations ADD COLUMN for_guests INTEGER NOT NULL DEFAULT 0;
