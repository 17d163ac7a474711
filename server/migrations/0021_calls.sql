-- What the telephone system says of the hotline, by day in the desk's time zone.

CREATE TABLE call_day (
    -- Such as 2026-10-01.
    day {text} PRIMARY KEY,
    offered BIGINT NOT NULL,
    answered BIGINT NOT NULL,
    within_20s BIGINT NOT NULL,
    imported_at_ms BIGINT NOT NULL
);
