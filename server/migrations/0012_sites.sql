-- Sites of customers, as lines, matters and duties name them, and when they let us in. Times are UTC milliseconds.

CREATE TABLE site (
    -- Follows from the customer and the name.
    id {blob} PRIMARY KEY,
    customer {text} NOT NULL REFERENCES customer (code),
    name {text} NOT NULL,
    -- NULL: that of the customer's pack.
    time_zone TEXT,
    -- Such as 'Mon-Fri 08:30-17:30'; NULL: at any hour.
    access_hours TEXT,
    -- Such as '2026-10-01..2026-10-07'.
    closed_dates TEXT,
    -- Whom to ring to be let in.
    access_contact TEXT,
    access_phone TEXT,
    updated_at_ms BIGINT NOT NULL,
    UNIQUE (customer, name)
);
