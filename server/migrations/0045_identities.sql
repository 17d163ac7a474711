-- Who a provider of single sign-on says somebody is, and which user that is here. A provider may call several people the
-- same over time; its subject never means another one.
CREATE TABLE identity (
    issuer {text} NOT NULL,
    subject {text} NOT NULL,
    user_name {text} NOT NULL REFERENCES app_user (name),
    -- 1: the user was made at the first sign-in, and its role follows the provider's groups.
    provisioned BIGINT NOT NULL,
    linked_at_ms BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX identity_by_user ON identity (user_name);
