-- Yearly plans of key customers, and their measures. Times are UTC milliseconds.

CREATE TABLE customer_plan (
    id {blob} PRIMARY KEY,
    customer {text} NOT NULL,
    year BIGINT NOT NULL,
    -- proposed | approved
    state TEXT NOT NULL,
    goals TEXT NOT NULL,
    review_at_ms BIGINT,
    written_by TEXT NOT NULL,
    written_at_ms BIGINT NOT NULL,
    approved_by TEXT,
    approved_at_ms BIGINT,
    UNIQUE (customer, year)
);

CREATE TABLE plan_measure (
    plan {blob} NOT NULL REFERENCES customer_plan (id),
    n BIGINT NOT NULL,
    what TEXT NOT NULL,
    by_ms BIGINT NOT NULL,
    owner TEXT NOT NULL,
    -- When its promise is opened; NULL while the plan is not approved, and once it is open.
    opens_at_ms BIGINT,
    -- The promise that it is.
    matter {blob},
    PRIMARY KEY (plan, n)
);
CREATE INDEX plan_measure_by_opening ON plan_measure (opens_at_ms) WHERE opens_at_ms IS NOT NULL;
