-- Planned work on lines or on an upstream node. Times are UTC milliseconds.

CREATE TABLE planned_work (
    id {blob} PRIMARY KEY,
    reason TEXT NOT NULL,
    -- NULL: on the lines of planned_work_line.
    upstream {text},
    from_ms BIGINT NOT NULL,
    to_ms BIGINT NOT NULL,
    -- In writing.
    applied_at_ms BIGINT NOT NULL,
    -- To the customers; NULL while they were not told.
    announced_at_ms BIGINT,
    recorded_at_ms BIGINT NOT NULL,
    by_whom TEXT NOT NULL,
    cancelled_at_ms BIGINT,
    -- When its lines have to be looked at, and the last line that was.
    look_at_ms BIGINT,
    looked_upto {text} NOT NULL
);
CREATE INDEX planned_work_by_start ON planned_work (from_ms, id);
CREATE INDEX planned_work_by_upstream ON planned_work (upstream, from_ms) WHERE upstream IS NOT NULL;
CREATE INDEX planned_work_by_look ON planned_work (look_at_ms) WHERE look_at_ms IS NOT NULL;

CREATE TABLE planned_work_line (
    work {blob} NOT NULL REFERENCES planned_work (id),
    line {text} NOT NULL REFERENCES line (code),
    PRIMARY KEY (work, line)
);
CREATE INDEX planned_work_line_by_line ON planned_work_line (line, work);

CREATE INDEX line_by_upstream ON line (upstream, code) WHERE upstream IS NOT NULL;
