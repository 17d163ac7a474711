-- Sessions end when nothing was asked with them for a while, and are shown to their user: since when, from where, by what.
ALTER TABLE session ADD COLUMN seen_at_ms BIGINT NOT NULL DEFAULT 0;
-- NULL: of a screen on the wall, or begun before there was a limit.
ALTER TABLE session ADD COLUMN idle_ms BIGINT;
ALTER TABLE session ADD COLUMN screen BIGINT NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN browser TEXT NOT NULL DEFAULT '';

-- What an API token may be used for, and the last day on which it was.
ALTER TABLE api_token ADD COLUMN scope TEXT NOT NULL DEFAULT 'write';
ALTER TABLE api_token ADD COLUMN used_at_ms BIGINT;
