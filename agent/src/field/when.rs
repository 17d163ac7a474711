//! Times that people state: now, or set back with a reason; never ahead.

use linewatch_shared::time::{MINUTE_MS, UnixMs};

/// A time may be this far from now without being set back, or ahead.
pub const NEAR_MS: i64 = 5 * MINUTE_MS;

/// Why a stated time is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It is no time.
    #[error("this is not a time; write it as 2026-03-01T14:05:00+08:00")]
    NoTime,
    /// It is still to come.
    #[error("this time is in the future")]
    Ahead,
    /// It is set back, and nobody says why.
    #[error("a time that is set back by more than 5 minutes needs a reason")]
    ReasonMissing,
}

/// The time that a person states; none for now.
///
/// # Errors
/// When it is no time, ahead, or set back without a reason.
pub fn judge(stated: Option<&str>, reason: &str, now: UnixMs) -> Result<Option<UnixMs>, Unfit> {
    let Some(stated) = stated.filter(|stated| !stated.is_empty()) else { return Ok(None) };
    let at = UnixMs::parse_rfc3339(stated).map_err(|_| Unfit::NoTime)?;
    if at.since(now) > NEAR_MS {
        return Err(Unfit::Ahead);
    }
    if now.since(at) > NEAR_MS && reason.trim().is_empty() {
        return Err(Unfit::ReasonMissing);
    }
    Ok(Some(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_now_or_set_back_with_a_reason() {
        let now = UnixMs::parse_rfc3339("2026-03-01T10:00:00Z").unwrap();
        assert_eq!(judge(None, "", now), Ok(None));
        assert_eq!(judge(Some("2026-03-01T09:56:00Z"), "", now), Ok(Some(now - 4 * MINUTE_MS)));
        assert_eq!(judge(Some("2026-03-01T09:00:00Z"), " ", now), Err(Unfit::ReasonMissing));
        let back = judge(Some("2026-03-01T17:00:00+08:00"), "no network in the basement", now);
        assert_eq!(back, Ok(Some(now - 60 * MINUTE_MS)));
        assert_eq!(judge(Some("2026-03-01T10:06:00Z"), "why not", now), Err(Unfit::Ahead));
        assert_eq!(judge(Some("noon"), "", now), Err(Unfit::NoTime));
    }
}
