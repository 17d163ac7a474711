-- New customers are admitted by a superior. Times are UTC milliseconds.

-- proposed | admitted | refused
ALTER TABLE customer ADD COLUMN admission TEXT NOT NULL DEFAULT 'admitted';
ALTER TABLE customer ADD COLUMN proposed_by TEXT;
ALTER TABLE customer ADD COLUMN decided_by TEXT;
ALTER TABLE customer ADD COLUMN decided_at_ms BIGINT;
ALTER TABLE customer ADD COLUMN decision TEXT;
CREATE INDEX customer_not_admitted ON customer (code) WHERE admission <> 'admitted';
