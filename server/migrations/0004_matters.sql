-- Complaints, requests, defects, promises and rounds, found from their facts. Times are UTC milliseconds.

CREATE TABLE matter (
    id {blob} PRIMARY KEY,
    -- complaint | request | defect | promise | visit | patrol
    kind TEXT NOT NULL,
    class {text} NOT NULL,
    customer {text} NOT NULL,
    line {text},
    site TEXT,
    owner TEXT NOT NULL,
    pack {text} NOT NULL,
    version {text} NOT NULL,
    state TEXT NOT NULL,
    -- 1 while something may still be owed.
    live BIGINT NOT NULL,
    opened_at_ms BIGINT NOT NULL,
    next_wake_ms BIGINT,
    updated_at_ms BIGINT NOT NULL,
    body {blob} NOT NULL
);
CREATE INDEX matter_by_opening ON matter (opened_at_ms, id);
CREATE INDEX matter_live ON matter (live, opened_at_ms) WHERE live = 1;
CREATE INDEX matter_by_customer ON matter (customer, opened_at_ms);
CREATE INDEX matter_by_wake ON matter (next_wake_ms) WHERE next_wake_ms IS NOT NULL;

CREATE TABLE matter_fact (
    id {blob} PRIMARY KEY,
    matter {blob} NOT NULL,
    occurred_at_ms BIGINT NOT NULL,
    recorded_at_ms BIGINT NOT NULL,
    kind TEXT NOT NULL,
    by_whom TEXT NOT NULL,
    event {blob} NOT NULL
);
CREATE INDEX matter_fact_by_matter ON matter_fact (matter, occurred_at_ms);

-- Duties that come round: each opens its rounds, one after the other.
CREATE TABLE duty (
    id {blob} PRIMARY KEY,
    kind TEXT NOT NULL,
    pack {text} NOT NULL,
    cadence {text} NOT NULL,
    customer {text} NOT NULL,
    -- Empty: the customer as a whole.
    site {text} NOT NULL,
    since_ms BIGINT NOT NULL,
    -- When the next round begins; NULL while a round runs that is followed by its own end, or when the duty has ended.
    next_round_ms BIGINT,
    ended_at_ms BIGINT,
    UNIQUE (pack, cadence, customer, site)
);
CREATE INDEX duty_by_next ON duty (next_round_ms) WHERE next_round_ms IS NOT NULL;

-- Which duty a round is of.
CREATE TABLE duty_round (
    matter {blob} PRIMARY KEY,
    duty {blob} NOT NULL
);

-- What a promise is of: fault | matter.
ALTER TABLE deadline ADD COLUMN subject_kind TEXT NOT NULL DEFAULT 'fault';
