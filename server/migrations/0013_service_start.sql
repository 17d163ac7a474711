-- Since when a line serves its customer: a day such as 2026-07-01, in its pack's time zone. Where it is absent, since it was
-- first written down.
ALTER TABLE line ADD COLUMN in_service TEXT;
