-- A second proof at sign-in: the secret of an authenticator app, sealed with the server's key.
CREATE TABLE second_factor (
    user_name {text} PRIMARY KEY REFERENCES app_user (name),
    sealed {blob} NOT NULL,
    -- NULL: begun, and not yet proved by a code.
    confirmed_at_ms BIGINT,
    -- The step of the last code that was taken: none is taken twice.
    last_step BIGINT NOT NULL DEFAULT 0
);

-- Codes for whoever lost the app, each good once.
CREATE TABLE recovery_code (
    -- SHA-256 of the code.
    hash {blob} PRIMARY KEY,
    user_name {text} NOT NULL REFERENCES app_user (name)
);
CREATE INDEX recovery_code_by_user ON recovery_code (user_name);

-- Sign-ins whose password was right, and whose second proof is awaited.
CREATE TABLE pending_sign_in (
    -- SHA-256 of what the browser was given.
    hash {blob} PRIMARY KEY,
    user_name {text} NOT NULL REFERENCES app_user (name),
    screen BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    tries_left BIGINT NOT NULL
);
CREATE INDEX pending_sign_in_by_user ON pending_sign_in (user_name);
CREATE INDEX pending_sign_in_by_expiry ON pending_sign_in (expires_at_ms);
