-- 1 for faults that owe something in working time which the calendar does not reach: a start judges them again, and finds
-- them without reading all the others. Those from before may be such ones.
ALTER TABLE fault ADD COLUMN uncounted BIGINT NOT NULL DEFAULT 0;
UPDATE fault SET uncounted = 1 WHERE live = 1;
CREATE INDEX fault_uncounted ON fault (id) WHERE uncounted = 1;
