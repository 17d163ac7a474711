-- What people said, and what is known of customers, is sealed from here on (`seal` and `unseal` are the program's own
-- functions, see src/vault). The columns get another name, so that an older program that is still running fails
-- rather than writes beside it in the clear. The rows that are there are sealed by src/journal/sealing.rs, in this
-- very transaction.
ALTER TABLE record     RENAME COLUMN bytes TO sealed;
ALTER TABLE poisoned   RENAME COLUMN bytes TO sealed;   -- `why` is sealed, too
ALTER TABLE scope      RENAME COLUMN row   TO sealed;   -- the `key` of a person is veiled
ALTER TABLE scope_page RENAME COLUMN row   TO sealed;
