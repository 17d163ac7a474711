-- What a user sees beside what follows from his tasks: one of the three in each row.
CREATE TABLE user_scope (
    user_name {text} NOT NULL REFERENCES app_user (name),
    -- The name under which customers have him as `manager` or `deputy`, where he signs in under another one.
    person TEXT,
    region TEXT,
    customer {text} REFERENCES customer (code)
);
CREATE INDEX user_scope_by_user ON user_scope (user_name);
CREATE INDEX customer_by_manager ON customer (manager, code);
CREATE INDEX customer_by_deputy ON customer (deputy, code);
CREATE INDEX customer_by_region ON customer (region, code);
CREATE INDEX matter_by_owner ON matter (owner, customer) WHERE live = 1;
