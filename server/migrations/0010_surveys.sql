-- Satisfaction surveys: made, sent as a link, answered once, followed up. Times are UTC milliseconds.

CREATE TABLE survey (
    id {blob} PRIMARY KEY,
    title TEXT NOT NULL,
    -- Labels of the questions in both languages, JSON; each is answered from 1 to 5.
    questions TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_at_ms BIGINT NOT NULL,
    closes_at_ms BIGINT NOT NULL
);
CREATE INDEX survey_by_time ON survey (made_at_ms, id);

CREATE TABLE survey_invite (
    -- SHA-256 of the link's secret.
    hash {blob} PRIMARY KEY,
    survey {blob} NOT NULL REFERENCES survey (id),
    customer {text} NOT NULL,
    made_at_ms BIGINT NOT NULL,
    answered_at_ms BIGINT,
    -- Scores in the order of the questions, JSON.
    scores TEXT,
    comment TEXT,
    -- The matter that follows a bad answer up.
    follow_up {blob},
    UNIQUE (survey, customer)
);
