-- Customers that somebody holds to be at risk, beside those whose figures say so. Times are UTC milliseconds.

CREATE TABLE risk (
    id {blob} PRIMARY KEY,
    customer {text} NOT NULL,
    reason TEXT NOT NULL,
    by_whom TEXT NOT NULL,
    entered_at_ms BIGINT NOT NULL,
    ended_at_ms BIGINT
);
CREATE INDEX risk_by_customer ON risk (customer) WHERE ended_at_ms IS NULL;
CREATE INDEX deadline_by_customer ON deadline (customer, due_at_ms);
