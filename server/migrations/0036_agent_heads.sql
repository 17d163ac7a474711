-- How far agents say that they have written: what is beyond what is held, the server knows to be unsent. Times are UTC
-- milliseconds.

CREATE TABLE agent_head (
    agent {blob} NOT NULL REFERENCES agent (id),
    lane TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    last_number BIGINT NOT NULL,
    -- When it was first said to be the last.
    last_at_ms BIGINT NOT NULL,
    -- Since when something up to this number is known to be unsent.
    mark BIGINT NOT NULL,
    since_ms BIGINT NOT NULL,
    PRIMARY KEY (agent, lane)
);
