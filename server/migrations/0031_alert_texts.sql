-- The desk's own words for alerts, in place of the shipped ones. meta.alert_texts counts their changes.

CREATE TABLE alert_text (
    -- zh | en
    lang {text} NOT NULL,
    -- As in server/locales: restoration-missed.what
    id {text} NOT NULL,
    text TEXT NOT NULL,
    by_whom TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (lang, id)
);
