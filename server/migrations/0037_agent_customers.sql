-- Whose customers' lines an agent sees beside its own: a laptop in the field, whose lines other agents watch.

CREATE TABLE agent_customer (
    agent {blob} NOT NULL REFERENCES agent (id),
    customer {text} NOT NULL REFERENCES customer (code),
    -- 1: no more. What was written down meanwhile still counts.
    over BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (agent, customer)
);
CREATE INDEX agent_customer_by_customer ON agent_customer (customer);
