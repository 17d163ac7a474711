-- Reference data, people, devices, rules. Times are UTC milliseconds; ids are 16 bytes.
-- {text} sorts by code point on both databases.

CREATE TABLE meta (
    key {text} PRIMARY KEY,
    value TEXT NOT NULL
);

-- Counters whose order is commit order: the row is updated last in a transaction and held to the commit.
CREATE TABLE head (
    name {text} PRIMARY KEY,
    n BIGINT NOT NULL
);
INSERT INTO head (name, n) VALUES ('reference', 0), ('event', 0);

CREATE TABLE agent (
    id {blob} PRIMARY KEY,
    name {text} NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('known', 'enrolled', 'revoked')),
    -- SHA-256 of the client certificate.
    cert_fingerprint {blob},
    created_at_ms BIGINT NOT NULL,
    enrolled_at_ms BIGINT,
    revoked_at_ms BIGINT,
    last_seen_at_ms BIGINT,
    -- Agent's clock minus ours at the last sync.
    clock_offset_ms BIGINT,
    version TEXT,
    -- The last health fact, JSON.
    health TEXT,
    silent_since_ms BIGINT
);
CREATE UNIQUE INDEX agent_by_certificate ON agent (cert_fingerprint) WHERE cert_fingerprint IS NOT NULL;

CREATE TABLE enrol_token (
    -- SHA-256 of the secret.
    hash {blob} PRIMARY KEY,
    agent {blob} NOT NULL REFERENCES agent (id),
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    used_at_ms BIGINT
);
CREATE INDEX enrol_token_by_agent ON enrol_token (agent);

CREATE TABLE customer (
    code {text} PRIMARY KEY,
    name TEXT NOT NULL,
    tier TEXT NOT NULL,
    pack TEXT NOT NULL,
    region TEXT,
    manager TEXT,
    manager_email TEXT,
    deputy TEXT,
    deputy_email TEXT,
    contact_name TEXT,
    contact_phone TEXT,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);

CREATE TABLE line (
    code {text} PRIMARY KEY,
    customer {text} NOT NULL REFERENCES customer (code),
    site TEXT,
    service TEXT,
    -- NULL: the customer's.
    tier TEXT,
    agent {blob} REFERENCES agent (id),
    probe TEXT,
    interval_ms BIGINT NOT NULL,
    upstream TEXT,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);
CREATE INDEX line_by_customer ON line (customer);
CREATE INDEX line_by_agent ON line (agent);

-- What a line was promised, from when: a row for each change of what is in effect.
CREATE TABLE line_terms (
    line {text} NOT NULL REFERENCES line (code),
    valid_from_ms BIGINT NOT NULL,
    customer {text} NOT NULL,
    pack TEXT NOT NULL,
    tier TEXT NOT NULL,
    agent {blob},
    PRIMARY KEY (line, valid_from_ms)
);

-- What agents pull, in commit order; n comes from head 'reference'.
CREATE TABLE reference_change (
    n BIGINT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('customer', 'line', 'agent', 'pack')),
    code {text} NOT NULL
);

CREATE TABLE pack_version (
    name {text} NOT NULL,
    version {text} NOT NULL,
    sha256 TEXT NOT NULL,
    content TEXT NOT NULL,
    valid_from_ms BIGINT NOT NULL,
    PRIMARY KEY (name, version)
);

CREATE TABLE app_user (
    name {text} PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN ('noc', 'manager', 'technician', 'admin')),
    password_hash TEXT NOT NULL,
    disabled BIGINT NOT NULL DEFAULT 0,
    created_at_ms BIGINT NOT NULL
);

CREATE TABLE session (
    -- SHA-256 of the cookie's value.
    hash {blob} PRIMARY KEY,
    user_name {text} NOT NULL REFERENCES app_user (name),
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL
);
CREATE INDEX session_by_user ON session (user_name);
CREATE INDEX session_by_expiry ON session (expires_at_ms);

CREATE TABLE api_token (
    -- SHA-256 of the token.
    hash {blob} PRIMARY KEY,
    user_name {text} NOT NULL REFERENCES app_user (name),
    label TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    -- NULL: until it is revoked.
    expires_at_ms BIGINT
);
CREATE INDEX api_token_by_user ON api_token (user_name);

CREATE TABLE idempotency (
    user_name {text} NOT NULL,
    key {text} NOT NULL,
    -- SHA-256 over method, path and body.
    body_hash {blob} NOT NULL,
    status BIGINT NOT NULL,
    answer TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (user_name, key)
);
CREATE INDEX idempotency_by_age ON idempotency (created_at_ms);

CREATE TABLE audit (
    n {pk_auto},
    at_ms BIGINT NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT
);
CREATE INDEX audit_by_subject ON audit (subject, n);
