-- Certificates of agents. One that was signed counts from the first request that shows it; until then the one before it
-- goes on, so that an answer that is lost cuts nobody off.
CREATE TABLE agent_certificate (
    -- SHA-256 of the certificate.
    fingerprint {blob} PRIMARY KEY,
    agent {blob} NOT NULL REFERENCES agent (id),
    -- SHA-256 of its public key; unknown of those from before, until they are shown.
    key {blob},
    -- SHA-256 of the authority that signed it.
    authority {blob},
    -- The enrolment token that its first request spends.
    token {blob},
    issued_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT,
    confirmed_at_ms BIGINT
);
CREATE INDEX agent_certificate_by_agent ON agent_certificate (agent);

INSERT INTO agent_certificate (fingerprint, agent, issued_at_ms, confirmed_at_ms)
    SELECT cert_fingerprint, id, COALESCE(enrolled_at_ms, created_at_ms), COALESCE(enrolled_at_ms, created_at_ms)
    FROM agent WHERE cert_fingerprint IS NOT NULL;

-- SHA-256 of the public key that a token was shown with: no other key is let in by it.
ALTER TABLE enrol_token ADD COLUMN key {blob};
-- When the challenge was made that an agent last answered: no challenge is answered twice.
ALTER TABLE agent ADD COLUMN challenged_at_ms BIGINT;
