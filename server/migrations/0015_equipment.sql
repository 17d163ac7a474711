-- The equipment of each site, its condition through time, and the rounds of one piece. Times are UTC milliseconds.

CREATE TABLE equipment (
    -- Follows from the site and the label.
    id {blob} PRIMARY KEY,
    site {blob} NOT NULL REFERENCES site (id),
    label {text} NOT NULL,
    -- As in the packs.
    kind {text} NOT NULL,
    grade {text} NOT NULL,
    -- Days, such as 2024-05-01.
    installed_on TEXT,
    -- Of the last test before it came into the ledger; later ones are rounds.
    tested_on TEXT,
    updated_at_ms BIGINT NOT NULL,
    UNIQUE (site, label)
);

CREATE TABLE equipment_grade (
    n {pk_auto},
    equipment {blob} NOT NULL REFERENCES equipment (id),
    at_ms BIGINT NOT NULL,
    grade TEXT NOT NULL,
    reason TEXT NOT NULL,
    by_whom TEXT NOT NULL
);
CREATE INDEX equipment_grade_by_equipment ON equipment_grade (equipment, n);

ALTER TABLE matter ADD COLUMN equipment {blob};
CREATE INDEX matter_by_equipment ON matter (equipment, opened_at_ms, id) WHERE equipment IS NOT NULL;

-- A duty may be of one piece of equipment: its id says what it is of.
ALTER TABLE duty RENAME TO duty_before;
CREATE TABLE duty (
    id {blob} PRIMARY KEY,
    kind TEXT NOT NULL,
    pack {text} NOT NULL,
    cadence {text} NOT NULL,
    customer {text} NOT NULL,
    -- Empty: the customer as a whole.
    site {text} NOT NULL,
    equipment {blob},
    since_ms BIGINT NOT NULL,
    next_round_ms BIGINT,
    ended_at_ms BIGINT
);
INSERT INTO duty (id, kind, pack, cadence, customer, site, since_ms, next_round_ms, ended_at_ms)
    SELECT id, kind, pack, cadence, customer, site, since_ms, next_round_ms, ended_at_ms FROM duty_before;
DROP TABLE duty_before;
CREATE INDEX duty_by_next ON duty (next_round_ms) WHERE next_round_ms IS NOT NULL;
CREATE INDEX duty_by_customer ON duty (customer, id);
