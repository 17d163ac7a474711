-- Records as they came, the facts in them, and the faults found from those. Times are UTC milliseconds.

-- When the device wrote the health fact that is kept: an older one that arrives later does not replace it.
ALTER TABLE agent ADD COLUMN health_at_ms BIGINT;

-- What the server holds of each stream of an agent.
CREATE TABLE stream (
    agent {blob} NOT NULL REFERENCES agent (id),
    epoch BIGINT NOT NULL,
    lane TEXT NOT NULL,
    -- Lanes in order: everything up to here, and the chain there.
    last_number BIGINT NOT NULL DEFAULT 0,
    chain {blob},
    -- The lane without order: closed ranges with their sums (MessagePack).
    ranges {blob},
    PRIMARY KEY (agent, epoch, lane)
);

-- Every record that could be read, once, byte for byte.
CREATE TABLE record (
    id {blob} PRIMARY KEY,
    agent {blob} NOT NULL,
    hash {blob} NOT NULL,
    kind TEXT NOT NULL,
    -- As the device stamped it.
    occurred_at_ms BIGINT NOT NULL,
    recorded_at_ms BIGINT NOT NULL,
    bytes {blob} NOT NULL
);
CREATE INDEX record_by_time ON record (agent, kind, occurred_at_ms);
CREATE INDEX record_of_kind ON record (kind, id) WHERE kind = 'visit';

-- What could not be taken in as it is: kept for a person, tried again after an upgrade.
CREATE TABLE aside (
    n {pk_auto},
    agent {blob} NOT NULL,
    epoch BIGINT NOT NULL,
    lane TEXT NOT NULL,
    number BIGINT NOT NULL,
    hash {blob} NOT NULL,
    -- unreadable | other_bytes | out_of_scope | future
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    recorded_at_ms BIGINT NOT NULL,
    -- Facts dated ahead wait until then.
    due_at_ms BIGINT,
    bytes {blob} NOT NULL,
    UNIQUE (agent, hash)
);
CREATE INDEX aside_by_due ON aside (due_at_ms) WHERE due_at_ms IS NOT NULL;

-- Clocks of devices, as they said hello.
CREATE TABLE clock (
    record {blob} PRIMARY KEY,
    agent {blob} NOT NULL,
    boot {blob} NOT NULL,
    mono_ms BIGINT NOT NULL,
    wall_ms BIGINT NOT NULL,
    offset_ms BIGINT NOT NULL
);
CREATE INDEX clock_by_boot ON clock (agent, boot, mono_ms);
CREATE INDEX clock_by_record ON clock (agent, record);

-- Facts that faults are found from.
CREATE TABLE fact (
    id {blob} PRIMARY KEY,
    -- NULL while the fault that a step names is not known.
    line {text},
    -- Corrected.
    occurred_at_ms BIGINT NOT NULL,
    recorded_at_ms BIGINT NOT NULL,
    -- By how much a device's time was corrected.
    corrected_ms BIGINT NOT NULL DEFAULT 0,
    -- 1 where the correction is a guess, or beyond the pack's tolerance.
    uncertain BIGINT NOT NULL DEFAULT 0,
    kind TEXT NOT NULL,
    -- The agent whose record it is; NULL for what was written at the server.
    agent {blob},
    by_whom TEXT NOT NULL,
    -- The fault that a step names.
    names {blob},
    event {blob} NOT NULL,
    -- Further data for people: a line change's evidence, as JSON.
    detail TEXT,
    -- As the device stamped it; mono_ms is NULL for a time that a person typed.
    boot {blob},
    wall_ms BIGINT,
    mono_ms BIGINT
);
CREATE INDEX fact_by_boot ON fact (agent, boot) WHERE boot IS NOT NULL;
CREATE INDEX fact_by_line ON fact (line, occurred_at_ms);
CREATE INDEX fact_waiting ON fact (names) WHERE line IS NULL;

-- Lines that are named by facts and not known yet, with the earliest of those facts.
CREATE TABLE waiting_line (
    line {text} PRIMARY KEY,
    from_ms BIGINT NOT NULL
);

-- Faults as last folded, with what was told of them.
CREATE TABLE fault (
    id {blob} PRIMARY KEY,
    line {text} NOT NULL,
    customer {text} NOT NULL,
    tier TEXT NOT NULL,
    state TEXT NOT NULL,
    -- 1 while something may still be owed.
    live BIGINT NOT NULL,
    started_at_ms BIGINT NOT NULL,
    -- The earliest of its facts.
    first_at_ms BIGINT NOT NULL,
    -- Until when an opening fact joins it.
    joins_until_ms BIGINT NOT NULL,
    next_wake_ms BIGINT,
    updated_at_ms BIGINT NOT NULL,
    body {blob} NOT NULL
);
CREATE INDEX fault_by_line ON fault (line, started_at_ms);
CREATE INDEX fault_by_start ON fault (started_at_ms, id);
CREATE INDEX fault_live ON fault (live, started_at_ms) WHERE live = 1;
CREATE INDEX fault_by_wake ON fault (next_wake_ms) WHERE next_wake_ms IS NOT NULL;

CREATE TABLE fault_alias (
    alias {blob} PRIMARY KEY,
    fault {blob} NOT NULL,
    line {text} NOT NULL
);
CREATE INDEX fault_alias_by_fault ON fault_alias (fault);

-- What each fault adds to its line's yearly figures.
CREATE TABLE contribution (
    fault {blob} NOT NULL,
    line {text} NOT NULL,
    year BIGINT NOT NULL,
    counted BIGINT NOT NULL,
    -- 1 while its outage goes on: it then counts in later years too.
    open BIGINT NOT NULL,
    started_at_ms BIGINT NOT NULL,
    pieces {blob} NOT NULL,
    PRIMARY KEY (fault, year)
);
CREATE INDEX contribution_by_line ON contribution (line, year);

-- Every promise, for lists. The fault's body is the truth.
CREATE TABLE deadline (
    subject {blob} NOT NULL,
    kind TEXT NOT NULL,
    period {text} NOT NULL,
    line {text} NOT NULL,
    customer {text} NOT NULL,
    tier TEXT NOT NULL,
    started_at_ms BIGINT NOT NULL,
    due_at_ms BIGINT NOT NULL,
    state TEXT NOT NULL,
    met_at_ms BIGINT,
    PRIMARY KEY (subject, kind, period)
);
CREATE INDEX deadline_by_due ON deadline (due_at_ms, subject, kind, period);
CREATE INDEX deadline_by_state ON deadline (state, due_at_ms);

CREATE TABLE line_state (
    line {text} PRIMARY KEY,
    state TEXT NOT NULL,
    since_ms BIGINT NOT NULL
);

-- What happened, for boards: n comes from head 'event', so its order is commit order.
CREATE TABLE event (
    n BIGINT PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    -- fault | deadline | agent
    kind TEXT NOT NULL,
    subject {blob},
    body TEXT NOT NULL
);

-- Messages to be handed over, at least once, each under its key.
CREATE TABLE outbox (
    n {pk_auto},
    key {text} NOT NULL UNIQUE,
    subject {blob} NOT NULL,
    channel TEXT NOT NULL,
    destination TEXT NOT NULL,
    message_id TEXT NOT NULL,
    -- An alert as JSON.
    alert TEXT NOT NULL,
    -- pending | done | dead
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    next_at_ms BIGINT NOT NULL,
    lease_until_ms BIGINT,
    created_at_ms BIGINT NOT NULL,
    finished_at_ms BIGINT,
    error TEXT
);
CREATE INDEX outbox_due ON outbox (next_at_ms) WHERE state = 'pending';
CREATE INDEX outbox_by_subject ON outbox (subject);
