-- Visit reports of agents, and the rounds that they are joined to. Times are UTC milliseconds.

CREATE TABLE visit_report (
    record {blob} PRIMARY KEY,
    customer {text} NOT NULL,
    -- When the visit was, corrected by the device's clock.
    at_ms BIGINT NOT NULL,
    -- 1 where the report itself names its round.
    named BIGINT NOT NULL,
    -- NULL: none.
    matter {blob},
    -- Why it counts for no round, where it does not.
    why TEXT
);
CREATE INDEX visit_report_by_matter ON visit_report (matter, at_ms) WHERE matter IS NOT NULL;
