-- Grades of customers: proposed with reasons, in effect once approved. Times are UTC milliseconds.

ALTER TABLE customer ADD COLUMN grade TEXT;

CREATE TABLE grade_proposal (
    id {blob} PRIMARY KEY,
    customer {text} NOT NULL,
    pack {text} NOT NULL,
    -- The grade before, where there was one.
    before TEXT,
    grade TEXT NOT NULL,
    -- Scores, caps and the sum, JSON.
    reasons TEXT NOT NULL,
    -- proposed | approved | rejected | replaced
    state TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_at_ms BIGINT NOT NULL,
    decided_by TEXT,
    decided_at_ms BIGINT,
    -- On an upgrade: whether the customer keeps its account manager.
    keeps_manager BIGINT
);
CREATE INDEX grade_proposal_by_time ON grade_proposal (proposed_at_ms, id);
CREATE INDEX grade_proposal_open ON grade_proposal (customer) WHERE state = 'proposed';
