-- What is being written and what has been photographed on this device. Bodies are sealed.

-- A report that is not finished. Its id becomes the report's.
CREATE TABLE draft (
  id         BLOB PRIMARY KEY,
  revision   INTEGER NOT NULL,         -- rises with each save
  begun_at   INTEGER NOT NULL,         -- wall clock, milliseconds
  changed_at INTEGER NOT NULL,         -- wall clock, milliseconds
  sealed     BLOB    NOT NULL          -- author and draft (JSON)
) WITHOUT ROWID;

-- Photos and signatures, each once, by the hash of its bytes.
CREATE TABLE part (
  sha256   BLOB PRIMARY KEY,
  media    TEXT    NOT NULL,
  bytes    INTEGER NOT NULL,
  added_at INTEGER NOT NULL,           -- wall clock, milliseconds
  held     INTEGER NOT NULL DEFAULT 0, -- bytes that the server has acknowledged
  whole    INTEGER NOT NULL DEFAULT 0  -- 1: the server has all of it
);
CREATE INDEX part_unsent ON part (added_at) WHERE whole = 0;

-- Their bytes, in pieces of one length, so that a chunk is sent without reading all.
CREATE TABLE part_piece (
  sha256 BLOB    NOT NULL REFERENCES part (sha256) ON DELETE CASCADE,
  n      INTEGER NOT NULL,
  sealed BLOB    NOT NULL,
  PRIMARY KEY (sha256, n)
) WITHOUT ROWID;

-- Which drafts and which reports hold them.
CREATE TABLE part_use (
  owner    BLOB    NOT NULL,           -- the draft's or report's id, which are the same
  sha256   BLOB    NOT NULL REFERENCES part (sha256),
  finished INTEGER NOT NULL DEFAULT 0, -- 1: a report names it, so it is sent
  PRIMARY KEY (owner, sha256)
) WITHOUT ROWID;
CREATE INDEX part_use_by_part ON part_use (sha256);

-- Open work as the server last told it.
CREATE TABLE work (
  one    INTEGER PRIMARY KEY CHECK (one = 1),
  digest BLOB    NOT NULL,
  sealed BLOB    NOT NULL
);
