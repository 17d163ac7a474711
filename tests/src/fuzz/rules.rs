//! Texts: packs and calendars, and the small words of commands and cells.

use std::str::FromStr;

use linewatch_shared::access_hours::AccessHours;
use linewatch_shared::calendar::Calendar;
use linewatch_shared::enrol_token::EnrolToken;
use linewatch_shared::probe_url::ProbeSpec;
use linewatch_shared::rules::{Pack, parse_duration, parse_limit};
use linewatch_shared::time::UnixMs;

pub(super) fn packs(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Err(mistakes) = Pack::parse(text, "fuzz.toml") {
        assert!(!mistakes.is_empty(), "a pack is refused for a reason");
    }
    if let Err(mistakes) = Calendar::parse(text, "fuzz.toml") {
        assert!(!mistakes.is_empty(), "a calendar is refused for a reason");
    }
}

pub(super) fn words(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(spec) = ProbeSpec::from_str(text) {
        let again = spec.to_string();
        assert_eq!(
            ProbeSpec::from_str(&again).as_ref(),
            Ok(&spec),
            "a probe's URL reads as it was written: {again}"
        );
    }
    if let Ok(token) = EnrolToken::parse(text) {
        assert_eq!(EnrolToken::parse(&token.encode()).map(|again| again.encode()), Ok(token.encode()));
    }
    let _ = parse_duration(text);
    let _ = parse_limit(text);
    let _ = UnixMs::parse_rfc3339(text);
    let (weekly, closed) = text.split_once('\n').unwrap_or((text, ""));
    let _ = AccessHours::parse(weekly, closed, chrono_tz::Asia::Shanghai);
}
