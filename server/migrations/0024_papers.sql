-- The papers of the monthly service-quality meeting, as they were made. Times are UTC milliseconds.

CREATE TABLE papers (
    -- Such as 2026-10.
    month {text} NOT NULL,
    -- The copies of a month, from 1 on.
    number BIGINT NOT NULL,
    made_at_ms BIGINT NOT NULL,
    made_by TEXT NOT NULL,
    -- Of what it says, without the time of making.
    sha256 TEXT NOT NULL,
    -- JSON, compressed (zstd). Figures, codes, times and users; nothing that customers or others wrote.
    body {blob} NOT NULL,
    approved_by TEXT,
    approved_at_ms BIGINT,
    PRIMARY KEY (month, number)
);
