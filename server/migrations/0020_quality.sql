-- What a second person found of closed matters and faults that were drawn for checking.

CREATE TABLE quality_check (
    -- The month that it was drawn for, such as 2026-10.
    month {text} NOT NULL,
    -- The fault or the matter.
    subject {blob} NOT NULL,
    -- 0 to 100.
    points BIGINT NOT NULL,
    remarks TEXT NOT NULL,
    by_whom TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (month, subject)
);
