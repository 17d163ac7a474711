-- Who is on duty, by month: written down, approved, then whom alerts reach too. Times are UTC milliseconds.

CREATE TABLE rota (
    -- Such as 2026-12.
    month {text} PRIMARY KEY,
    written_by TEXT NOT NULL,
    written_at_ms BIGINT NOT NULL,
    approved_by TEXT,
    approved_at_ms BIGINT
);

CREATE TABLE rota_shift (
    month {text} NOT NULL REFERENCES rota (month),
    from_ms BIGINT NOT NULL,
    until_ms BIGINT NOT NULL,
    person {text} NOT NULL,
    email TEXT NOT NULL,
    PRIMARY KEY (month, from_ms, person)
);
CREATE INDEX rota_shift_by_end ON rota_shift (until_ms);
