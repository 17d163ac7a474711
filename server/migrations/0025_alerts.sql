-- Alerts, who has taken them, and the ladders that are climbed until somebody does. Times are UTC milliseconds.

CREATE TABLE alert (
    -- The effect's key: one alert is told once, whatever is restarted.
    key {text} PRIMARY KEY,
    subject {blob} NOT NULL,
    -- 1 for a matter, 0 for a fault.
    of_matter BIGINT NOT NULL,
    -- The promise: what is owed, and which one of its kind.
    kind TEXT NOT NULL,
    period {text} NOT NULL,
    mark TEXT NOT NULL,
    -- The moment that it speaks of, and when the promise is due.
    at_ms BIGINT NOT NULL,
    due_at_ms BIGINT NOT NULL,
    late BIGINT NOT NULL,
    -- When it was told.
    began_at_ms BIGINT NOT NULL,
    -- Who is told next, and when, as the pack said then; JSON.
    ladder TEXT NOT NULL,
    -- How many of these steps were climbed.
    rung BIGINT NOT NULL,
    -- When the next one is; NULL once nothing is left to climb.
    next_at_ms BIGINT,
    -- Why it was not climbed to its end: settled | gone | overtaken.
    ended TEXT,
    taken_by TEXT,
    taken_at_ms BIGINT,
    -- link | desk
    taken_how TEXT
);
CREATE INDEX alert_by_next ON alert (next_at_ms, key) WHERE next_at_ms IS NOT NULL;
CREATE INDEX alert_by_subject ON alert (subject, began_at_ms);

-- Mails that wait for the end of somebody's quiet hours.
CREATE TABLE alert_held (
    -- As the message's key in the outbox.
    key {text} PRIMARY KEY,
    alert {text} NOT NULL,
    subject {blob} NOT NULL,
    kind {text} NOT NULL,
    period {text} NOT NULL,
    destination {text} NOT NULL,
    person TEXT NOT NULL,
    receiver TEXT NOT NULL,
    until_ms BIGINT NOT NULL
);
CREATE INDEX alert_held_by_end ON alert_held (until_ms, destination, subject, kind, period);

-- Which alert a message is of, at which step of the ladder, for whom, and what it has in common with others.
ALTER TABLE outbox ADD COLUMN alert_key {text};
ALTER TABLE outbox ADD COLUMN rung BIGINT NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN person TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN cause {text} NOT NULL DEFAULT '';
