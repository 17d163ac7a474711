-- What lines may be without service within a month, quarter or year, and what was told of it. Times are UTC milliseconds.

-- Only those of which something is used: a line without an outage has no row.
CREATE TABLE allowance (
    id {blob} PRIMARY KEY,
    line {text} NOT NULL,
    -- interruption | availability
    kind {text} NOT NULL,
    customer TEXT NOT NULL,
    tier TEXT NOT NULL,
    from_ms BIGINT NOT NULL,
    to_ms BIGINT NOT NULL,
    allowance_ms BIGINT NOT NULL,
    -- 0 where it turned out not to be promised: what was told of it is kept.
    promised BIGINT NOT NULL,
    ledger {blob} NOT NULL
);
CREATE INDEX allowance_by_line ON allowance (line, kind, from_ms);

-- Lines whose allowances have to be looked at, when, and from which moment on.
CREATE TABLE allowance_look (
    line {text} PRIMARY KEY,
    from_ms BIGINT NOT NULL,
    at_ms BIGINT NOT NULL
);
CREATE INDEX allowance_look_by_time ON allowance_look (at_ms);

-- What is known already is looked at once, as of the first moment: a year that is long over alarms nobody now.
INSERT INTO allowance_look (line, from_ms, at_ms) SELECT DISTINCT line, 9007199254740991, 0 FROM contribution;
