-- One row for each numbering of this journal; the newest is the one in use.
CREATE TABLE stream (
  gen       INTEGER PRIMARY KEY AUTOINCREMENT,
  epoch     INTEGER NOT NULL UNIQUE,   -- the bits of the protocol's u64
  opened_at INTEGER NOT NULL,          -- wall clock, milliseconds
  why       TEXT    NOT NULL
);

-- How far each lane of a stream has been written, and what was pruned from its beginning.
CREATE TABLE lane (
  gen          INTEGER NOT NULL REFERENCES stream (gen),
  lane         INTEGER NOT NULL,
  last         INTEGER NOT NULL,
  chain        BLOB    NOT NULL,       -- after `last`; 32 zero bytes in the summary lane
  pruned       INTEGER NOT NULL,       -- numbers up to here are gone
  pruned_chain BLOB    NOT NULL,
  pruned_sum   BLOB    NOT NULL,       -- sum of 1..=pruned (summary lane)
  PRIMARY KEY (gen, lane)
) WITHOUT ROWID;

CREATE TABLE record (
  gen        INTEGER NOT NULL,
  lane       INTEGER NOT NULL,
  number     INTEGER NOT NULL,
  id         BLOB    NOT NULL,
  kind       TEXT    NOT NULL,
  written_at INTEGER NOT NULL,         -- wall clock, milliseconds
  hash       BLOB    NOT NULL,
  chain      BLOB    NOT NULL,         -- after this record; empty in the summary lane
  bytes      BLOB    NOT NULL
);
CREATE UNIQUE INDEX record_number ON record (gen, lane, number);
CREATE UNIQUE INDEX record_id ON record (id);
CREATE INDEX record_kind ON record (kind, id);

-- What the server has acknowledged, checked against our own hashes. Ordered lanes have one row from 1 on.
CREATE TABLE held (
  gen   INTEGER NOT NULL,
  lane  INTEGER NOT NULL,
  first INTEGER NOT NULL,
  last  INTEGER NOT NULL,
  sum   BLOB    NOT NULL,
  PRIMARY KEY (gen, lane, first)
) WITHOUT ROWID;

-- The bytes of records that the server could not even take in as opaque; see sync.
CREATE TABLE poisoned (
  id       BLOB PRIMARY KEY,
  bytes    BLOB    NOT NULL,
  noted_at INTEGER NOT NULL,
  why      TEXT    NOT NULL
) WITHOUT ROWID;

-- The last state of each line that this agent has journalled.
CREATE TABLE line_state (
  line     TEXT PRIMARY KEY,
  state    TEXT    NOT NULL,
  since_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

-- Reference data pulled from the server. `page` holds a snapshot until its last page has come.
CREATE TABLE scope (
  kind TEXT NOT NULL,
  key  TEXT NOT NULL,
  row  BLOB NOT NULL,
  PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE TABLE scope_page (
  kind TEXT NOT NULL,
  key  TEXT NOT NULL,
  row  BLOB NOT NULL,
  PRIMARY KEY (kind, key)
) WITHOUT ROWID;
