-- Photos and signatures that visit reports name. Times are UTC milliseconds.

-- What a report names, in its order.
CREATE TABLE visit_part (
    record {blob} NOT NULL,
    n BIGINT NOT NULL,
    agent {blob} NOT NULL,
    customer {text} NOT NULL,
    sha256 {blob} NOT NULL,
    -- photo | signature
    role TEXT NOT NULL,
    -- jpeg | png
    media TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    caption TEXT NOT NULL,
    taken_at_ms BIGINT,
    -- Millionths of a degree.
    latitude BIGINT,
    longitude BIGINT,
    -- Why its bytes are not wanted, where they are not.
    why TEXT,
    PRIMARY KEY (record, n)
);
CREATE INDEX visit_part_by_hash ON visit_part (sha256, agent);
CREATE INDEX visit_part_by_customer ON visit_part (customer, record);

-- The bytes of each hash: once, whoever names it.
CREATE TABLE part (
    sha256 {blob} PRIMARY KEY,
    media TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    -- So many bytes from the beginning on.
    held BIGINT NOT NULL DEFAULT 0,
    -- wanted | whole | bad
    state TEXT NOT NULL DEFAULT 'wanted',
    -- How often all bytes were there and were not those of the hash.
    failures BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE part_chunk (
    sha256 {blob} NOT NULL,
    starts_at BIGINT NOT NULL,
    bytes {blob} NOT NULL,
    PRIMARY KEY (sha256, starts_at)
);
