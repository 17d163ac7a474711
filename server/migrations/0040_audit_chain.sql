-- The audit trail as a chain of hashes. What was written before it is taken over, in order, by the first entry.
DROP INDEX audit_by_subject;
DROP INDEX audit_by_who;
DROP INDEX audit_by_action;
ALTER TABLE audit RENAME TO audit_before;

CREATE TABLE audit (
    n {pk_auto},
    at_ms BIGINT NOT NULL,
    action {text} NOT NULL,
    -- Gone, all three, once their time is over.
    who {text},
    subject {text},
    salt {blob},
    -- Gone, both, once their time is over or what is personal in them was erased.
    detail TEXT,
    detail_salt {blob},
    content_hash {blob} NOT NULL,
    detail_hash {blob},
    hash {blob} NOT NULL
);
CREATE INDEX audit_by_subject ON audit (subject, n);
CREATE INDEX audit_by_who ON audit (who, n);
CREATE INDEX audit_by_action ON audit (action, n);
-- What says something still, by its age.
CREATE INDEX audit_kept ON audit (action, at_ms) WHERE who IS NOT NULL;

-- The last entry's number and hash. Whoever writes an entry holds this row to the commit: the order of entries is that of
-- commits, and two nodes cannot both hang one on the same.
CREATE TABLE audit_head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    n BIGINT NOT NULL,
    hash {blob} NOT NULL
);

-- Up to which entry the chain's beginning was taken away, all of it being empty; and that entry's hash.
CREATE TABLE audit_cut (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    n BIGINT NOT NULL,
    hash {blob} NOT NULL
);

--{sqlite
-- REPLACE deletes without asking.
CREATE TRIGGER audit_replaces_none BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE n = NEW.n)
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;

CREATE TRIGGER audit_keeps BEFORE DELETE ON audit
WHEN OLD.n > COALESCE((SELECT n FROM audit_cut), 0) OR OLD.who IS NOT NULL OR OLD.detail IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;

CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
WHEN NEW.n IS NOT OLD.n OR NEW.at_ms IS NOT OLD.at_ms OR NEW.action IS NOT OLD.action
    OR NEW.content_hash IS NOT OLD.content_hash OR NEW.detail_hash IS NOT OLD.detail_hash OR NEW.hash IS NOT OLD.hash
    OR NOT ((NEW.who IS OLD.who AND NEW.subject IS OLD.subject AND NEW.salt IS OLD.salt)
        OR (NEW.who IS NULL AND NEW.subject IS NULL AND NEW.salt IS NULL))
    OR NOT ((NEW.detail IS OLD.detail AND NEW.detail_salt IS OLD.detail_salt)
        OR (NEW.detail IS NULL AND NEW.detail_salt IS NULL))
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;

CREATE TRIGGER audit_head_keeps BEFORE DELETE ON audit_head
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;

CREATE TRIGGER audit_head_goes_on BEFORE UPDATE ON audit_head WHEN NEW.n < OLD.n
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;

CREATE TRIGGER audit_cut_keeps BEFORE DELETE ON audit_cut
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;

CREATE TRIGGER audit_cut_goes_on BEFORE UPDATE ON audit_cut WHEN NEW.n < OLD.n
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
--}
--{postgres
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$;

CREATE FUNCTION audit_refuse_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.n > COALESCE((SELECT n FROM audit_cut), 0) OR OLD.who IS NOT NULL OR OLD.detail IS NOT NULL THEN
        RAISE EXCEPTION 'the audit trail is append-only';
    END IF;
    RETURN OLD;
END $$;

CREATE TRIGGER audit_keeps BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse_delete();
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit FOR EACH ROW
WHEN (NEW.n IS DISTINCT FROM OLD.n OR NEW.at_ms IS DISTINCT FROM OLD.at_ms OR NEW.action IS DISTINCT FROM OLD.action
    OR NEW.content_hash IS DISTINCT FROM OLD.content_hash OR NEW.detail_hash IS DISTINCT FROM OLD.detail_hash
    OR NEW.hash IS DISTINCT FROM OLD.hash
    OR NOT ((NEW.who IS NOT DISTINCT FROM OLD.who AND NEW.subject IS NOT DISTINCT FROM OLD.subject
            AND NEW.salt IS NOT DISTINCT FROM OLD.salt)
        OR (NEW.who IS NULL AND NEW.subject IS NULL AND NEW.salt IS NULL))
    OR NOT ((NEW.detail IS NOT DISTINCT FROM OLD.detail AND NEW.detail_salt IS NOT DISTINCT FROM OLD.detail_salt)
        OR (NEW.detail IS NULL AND NEW.detail_salt IS NULL)))
EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_is_never_emptied BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

CREATE TRIGGER audit_head_keeps BEFORE DELETE ON audit_head FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_head_goes_on BEFORE UPDATE ON audit_head FOR EACH ROW WHEN (NEW.n < OLD.n)
EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_cut_keeps BEFORE DELETE ON audit_cut FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_cut_goes_on BEFORE UPDATE ON audit_cut FOR EACH ROW WHEN (NEW.n < OLD.n)
EXECUTE FUNCTION audit_refuse();
--}
