-- The audit trail is read from its end, by who did something and by what was done: neither looks at all of it.
CREATE INDEX audit_by_who ON audit (who, n);
CREATE INDEX audit_by_action ON audit (action, n);
