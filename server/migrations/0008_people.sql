-- Who is away, what the shifts hand over, and the day's list. Times are UTC milliseconds.

CREATE TABLE absence (
    id {blob} PRIMARY KEY,
    -- As in customers' `manager` and `deputy`.
    person {text} NOT NULL,
    from_ms BIGINT NOT NULL,
    until_ms BIGINT NOT NULL,
    reason TEXT NOT NULL,
    by_whom TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL
);
CREATE INDEX absence_by_person ON absence (person, until_ms);
CREATE INDEX absence_by_end ON absence (until_ms, id);

CREATE TABLE handover (
    id {blob} PRIMARY KEY,
    left_by TEXT NOT NULL,
    left_at_ms BIGINT NOT NULL,
    -- What the leaving shift adds.
    words TEXT NOT NULL,
    -- What was open then, JSON.
    state TEXT NOT NULL,
    taken_by TEXT,
    taken_at_ms BIGINT,
    reviewed_by TEXT,
    reviewed_at_ms BIGINT,
    -- 1 until the relief has signed, then NULL: one handover waits at a time.
    waiting BIGINT UNIQUE
);
CREATE INDEX handover_by_time ON handover (left_at_ms, id);

CREATE TABLE daily_list (
    -- The day in the desk's time zone, such as 2026-11-22.
    day {text} PRIMARY KEY,
    made_at_ms BIGINT NOT NULL,
    -- JSON.
    body TEXT NOT NULL
);
