-- Which turn of its secret an agent has shown, and since when: an older one, shown later, is a copy's.
ALTER TABLE agent ADD COLUMN generation BIGINT NOT NULL DEFAULT 0;
ALTER TABLE agent ADD COLUMN generation_at_ms BIGINT;
-- Since when what an agent sends is kept aside for a person, because there are two of it.
ALTER TABLE agent ADD COLUMN quarantined_at_ms BIGINT;
CREATE INDEX aside_quarantined ON aside (agent, n) WHERE reason = 'quarantined';
