-- Who has signed an agreement of confidentiality, and until when it holds. Times are UTC milliseconds.

CREATE TABLE agreement (
    id {blob} PRIMARY KEY,
    -- As users are called; somebody without an account may have signed as well.
    person {text} NOT NULL,
    signed_at_ms BIGINT NOT NULL,
    until_ms BIGINT NOT NULL,
    -- Where the paper is.
    document TEXT NOT NULL,
    by_whom TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL
);
CREATE INDEX agreement_by_person ON agreement (person, until_ms);
CREATE INDEX agreement_by_end ON agreement (until_ms, id);
