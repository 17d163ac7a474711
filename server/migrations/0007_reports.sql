-- What reports ask for. Times are UTC milliseconds.

-- When nothing of a fault can count any more; NULL while it is live. For faults from before this column:
-- when they were last written, which is not earlier.
ALTER TABLE fault ADD COLUMN ended_at_ms BIGINT;
UPDATE fault SET ended_at_ms = updated_at_ms WHERE live = 0;
CREATE INDEX fault_by_end ON fault (ended_at_ms, started_at_ms, id) WHERE ended_at_ms IS NOT NULL;

-- Figures of periods that were over, as they were made: a row for each time that they were others than before.
CREATE TABLE report_made (
    n {pk_auto},
    -- month | quarter | year
    kind TEXT NOT NULL,
    period {text} NOT NULL,
    made_at_ms BIGINT NOT NULL,
    -- Of the figures.
    sha256 TEXT NOT NULL,
    -- JSON, compressed (zstd).
    figures {blob} NOT NULL,
    -- What changed since the row before, as JSON.
    changes TEXT NOT NULL
);
CREATE INDEX report_made_by_period ON report_made (kind, period, n);
