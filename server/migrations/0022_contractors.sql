-- Companies that maintain for us, what is theirs, and who did the work. Times are UTC milliseconds.

CREATE TABLE contractor (
    code {text} PRIMARY KEY,
    name TEXT NOT NULL,
    -- The contract's first day, and its last one (NULL: no end is agreed), such as 2026-01-01; as moments, in the pack's zone.
    contract_from TEXT NOT NULL,
    contract_until TEXT,
    from_ms BIGINT NOT NULL,
    until_ms BIGINT,
    contact_name TEXT,
    contact_phone TEXT,
    -- Whose assessment applies.
    pack {text} NOT NULL,
    -- NULL: the pack's.
    fee_part_ppm BIGINT,
    updated_at_ms BIGINT NOT NULL
);

-- Who maintains; a line's own counts more than its customer's.
ALTER TABLE customer ADD COLUMN contractor {text};
ALTER TABLE line ADD COLUMN contractor {text};
ALTER TABLE line_terms ADD COLUMN contractor {text};
CREATE INDEX customer_by_contractor ON customer (contractor, code) WHERE contractor IS NOT NULL;
CREATE INDEX line_by_contractor ON line (contractor, code) WHERE contractor IS NOT NULL;

-- A technician of a contractor sees what that one maintains, and nothing else.
ALTER TABLE app_user ADD COLUMN contractor {text};

-- Who said that service was back, and who did what a matter asked for.
ALTER TABLE fault ADD COLUMN restored_by TEXT;
UPDATE fault SET restored_by = (SELECT f.by_whom FROM fact f JOIN fault_alias a ON a.alias = f.names
    WHERE a.fault = fault.id AND f.kind = 'restored' ORDER BY f.occurred_at_ms DESC, f.id DESC LIMIT 1);
ALTER TABLE matter ADD COLUMN done_by TEXT;
UPDATE matter SET done_by = (SELECT f.by_whom FROM matter_fact f
    WHERE f.matter = matter.id AND f.kind IN ('resolved', 'made') ORDER BY f.occurred_at_ms DESC, f.id DESC LIMIT 1);
