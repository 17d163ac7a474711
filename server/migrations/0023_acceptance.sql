-- Acceptance of new lines and sites. Times are UTC milliseconds.

-- line | site: what the matter is the acceptance of.
ALTER TABLE matter ADD COLUMN accepts TEXT;
-- When both sides had signed.
ALTER TABLE matter ADD COLUMN accepted_ms BIGINT;
-- 1 where the line's promises wait for it.
ALTER TABLE matter ADD COLUMN promises_wait BIGINT NOT NULL DEFAULT 0;
CREATE INDEX matter_accepts_line ON matter (line, opened_at_ms) WHERE accepts = 'line';
CREATE INDEX matter_accepts_site ON matter (customer, site, opened_at_ms) WHERE accepts = 'site';
