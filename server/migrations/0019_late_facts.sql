-- What taking in a backlog asks for, and what it does not. Times are UTC milliseconds.

-- The last state that each agent gave of a line, without reading all that it ever gave.
CREATE INDEX fact_evidence ON fact (line, agent, occurred_at_ms, id)
    WHERE kind IN ('down', 'up', 'degraded', 'unknown');

-- Lists judge a promise as of the reading, so no list looks it up by its stored state.
DROP INDEX deadline_by_state;
