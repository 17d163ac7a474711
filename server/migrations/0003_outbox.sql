-- What the delivery of alerts asks for. Times are UTC milliseconds.

-- Destinations that asked to be left alone for a while (Retry-After).
CREATE TABLE outbox_pause (
    channel {text} NOT NULL,
    destination {text} NOT NULL,
    until_ms BIGINT NOT NULL,
    PRIMARY KEY (channel, destination)
);

-- Being sent right now.
CREATE INDEX outbox_leased ON outbox (lease_until_ms) WHERE state = 'pending' AND lease_until_ms IS NOT NULL;
-- Sent within the last minute.
CREATE INDEX outbox_sent ON outbox (finished_at_ms) WHERE state = 'done';
-- The rows of one message.
CREATE INDEX outbox_by_message ON outbox (message_id);
CREATE INDEX outbox_dead ON outbox (n) WHERE state = 'dead';
