-- Alerts of which everybody on the ladder was told and that nobody has taken are listed first; few ever get so far.
CREATE INDEX alert_unheard ON alert (began_at_ms, key)
    WHERE next_at_ms IS NULL AND taken_by IS NULL AND ended IS NULL AND rung > 0;
-- What waits for the end of quiet hours is shown with its fault or matter.
CREATE INDEX alert_held_by_subject ON alert_held (subject);
