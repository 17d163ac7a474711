-- What technicians bring back besides visit reports. Times are UTC milliseconds.

-- What a device found out about a line.
CREATE TABLE diagnosis (
    record {blob} PRIMARY KEY,
    line {text} NOT NULL,
    -- The fault that was open then, by any of its ids.
    fault {blob},
    agent {blob} NOT NULL,
    by_whom TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    recorded_at_ms BIGINT NOT NULL,
    findings {blob} NOT NULL
);
CREATE INDEX diagnosis_by_line ON diagnosis (line, at_ms, record);

-- What came by sync and has no effect, or not the whole of it, until somebody has looked at it.
CREATE TABLE conflict (
    record {blob} PRIMARY KEY,
    -- step | deed | visit | opened
    kind TEXT NOT NULL,
    -- Which step, or what was opened.
    what TEXT NOT NULL,
    agent {blob} NOT NULL,
    by_whom TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    recorded_at_ms BIGINT NOT NULL,
    why TEXT NOT NULL,
    fault {blob},
    matter {blob},
    line {text},
    customer {text},
    settled_at_ms BIGINT,
    settled_by TEXT,
    note TEXT
);
CREATE INDEX conflict_by_time ON conflict (recorded_at_ms, record);
CREATE INDEX conflict_open ON conflict (recorded_at_ms, record) WHERE settled_at_ms IS NULL;
CREATE INDEX conflict_by_line ON conflict (line) WHERE kind = 'step';
CREATE INDEX conflict_by_matter ON conflict (matter) WHERE kind = 'deed';

CREATE INDEX record_of_field ON record (kind, id) WHERE kind IN ('opened', 'deed');
