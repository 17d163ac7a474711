-- Ways to rows, so that nothing is read beside what is asked for.

-- A visit's report looks for the rounds of its customer's duties.
CREATE INDEX duty_round_by_duty ON duty_round (duty);

-- The board reads what counts for thousands of lines: on SQLite from the index alone, in which a line's rows stand together.
--{sqlite
DROP INDEX contribution_by_line;
CREATE INDEX contribution_by_line ON contribution (line, year, counted, open, started_at_ms, pieces);
--}
-- Outages that go on, from whatever year they began in.
CREATE INDEX contribution_open ON contribution (year) WHERE open = 1;
