-- Which users may sign in on which agent's own page.

CREATE TABLE agent_person (
    agent {blob} NOT NULL REFERENCES agent (id),
    user_name {text} NOT NULL REFERENCES app_user (name),
    PRIMARY KEY (agent, user_name)
);
CREATE INDEX agent_person_by_user ON agent_person (user_name);
