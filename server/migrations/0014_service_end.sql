-- The end of a service, and the erasure of what is personal. Times are UTC milliseconds.

-- From when on nothing is promised any more.
ALTER TABLE customer ADD COLUMN service_ends_ms BIGINT;
ALTER TABLE line ADD COLUMN service_ends_ms BIGINT;
-- 1 once that has come and was acted upon: rounds are cancelled, agents are given the line no more.
ALTER TABLE customer ADD COLUMN service_over BIGINT NOT NULL DEFAULT 0;
ALTER TABLE line ADD COLUMN service_over BIGINT NOT NULL DEFAULT 0;
CREATE INDEX customer_by_end ON customer (service_ends_ms) WHERE service_ends_ms IS NOT NULL;
-- 0 where nothing is promised.
ALTER TABLE line_terms ADD COLUMN promised BIGINT NOT NULL DEFAULT 1;

-- When what is personal was erased; what comes in later is erased on its way in.
ALTER TABLE customer ADD COLUMN erased_at_ms BIGINT;

CREATE TABLE erasure (
    id {blob} PRIMARY KEY,
    customer {text} NOT NULL,
    reason TEXT NOT NULL,
    by_whom TEXT NOT NULL,
    begun_at_ms BIGINT NOT NULL,
    finished_at_ms BIGINT,
    -- How much was erased, by what it was in, JSON.
    counts TEXT
);
CREATE INDEX erasure_by_time ON erasure (begun_at_ms, id);
CREATE INDEX erasure_running ON erasure (begun_at_ms) WHERE finished_at_ms IS NULL;
CREATE INDEX fault_by_customer ON fault (customer, id);
