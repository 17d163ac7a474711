//! When a message that could not be handed over is tried again, and when it is given up. Pure.

use linewatch_shared::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};
use sha2::{Digest, Sha256};

/// The wait after the first failure; each further one doubles it.
const FIRST_WAIT_MS: i64 = 2 * SECOND_MS;
/// The longest wait after a refusal by the other side.
const REFUSED_WAIT_MAX_MS: i64 = 5 * MINUTE_MS;
/// The longest wait while the other side cannot be reached: what was down must not stay silent for
/// long once it is back.
const UNREACHABLE_WAIT_MAX_MS: i64 = 30 * SECOND_MS;
/// The longest `Retry-After` that is obeyed.
pub const RETRY_AFTER_MAX_MS: i64 = HOUR_MS;
/// How old an alert may grow before a temporary failure becomes final.
pub const GIVE_UP_AFTER_MS: i64 = DAY_MS;
/// Tries that even an old alert gets: after a long standstill everything is old.
pub const TRIES_MIN: i64 = 5;
/// Jitter added after the cap, in parts of the wait.
const JITTER_DIVISOR: i64 = 4;

/// What went wrong, as far as it matters for the next try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// No connection, or it broke.
    Unreachable,
    /// The other side answered that it cannot take it now.
    Refused,
}

/// The time of the next try, or `None` when there is to be none. `tries` counts the failed one;
/// `created_at_ms` is the alert's; `retry_after_ms` is what the other side asked for.
#[must_use]
pub fn next_try_ms(
    now_ms: i64,
    created_at_ms: i64,
    tries: i64,
    cause: Cause,
    retry_after_ms: Option<i64>,
    message_id: &str,
) -> Option<i64> {
    if tries >= TRIES_MIN && now_ms.saturating_sub(created_at_ms) >= GIVE_UP_AFTER_MS {
        return None;
    }
    let cap_ms = match cause {
        Cause::Unreachable => UNREACHABLE_WAIT_MAX_MS,
        Cause::Refused => REFUSED_WAIT_MAX_MS,
    };
    let doublings = u32::try_from(tries.saturating_sub(1).clamp(0, 30)).unwrap_or(30);
    let wait_ms = FIRST_WAIT_MS.saturating_mul(1 << doublings).min(cap_ms);
    let wait_ms = wait_ms.max(retry_after_ms.unwrap_or(0).min(RETRY_AFTER_MAX_MS));
    Some(now_ms + wait_ms + jitter_ms(wait_ms, message_id, tries))
}

/// Spread by content, not by a dice: two nodes and two runs agree, two messages do not.
fn jitter_ms(wait_ms: i64, message_id: &str, tries: i64) -> i64 {
    let digest = Sha256::new().chain_update(message_id).chain_update(tries.to_be_bytes()).finalize();
    let spread = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    i64::from(spread) % (wait_ms / JITTER_DIVISOR).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_000;

    fn wait(tries: i64, cause: Cause, retry_after_ms: Option<i64>) -> i64 {
        next_try_ms(NOW, NOW, tries, cause, retry_after_ms, "<m@linewatch>").unwrap() - NOW
    }

    #[test]
    fn waits_double_up_to_their_cap() {
        for (tries, base) in [(1, 2_000), (2, 4_000), (3, 8_000), (8, 256_000), (9, 300_000), (400, 300_000)]
        {
            let got = wait(tries, Cause::Refused, None);
            assert!((base..base + base / 4).contains(&got), "{tries}: {got}");
        }
        assert!((30_000..37_500).contains(&wait(50, Cause::Unreachable, None)));
    }

    #[test]
    fn jitter_comes_after_the_cap_and_differs_by_message() {
        let ids: Vec<String> = (0..20).map(|n| format!("<{n}@linewatch>")).collect();
        let waits = ids.iter().map(|id| next_try_ms(NOW, NOW, 40, Cause::Refused, None, id));
        let distinct: std::collections::BTreeSet<_> = waits.collect();
        assert!(distinct.len() > 15, "{distinct:?}");
    }

    #[test]
    fn retry_after_is_obeyed_up_to_an_hour_and_never_shortens() {
        assert!(wait(1, Cause::Refused, Some(90_000)) >= 90_000);
        assert!(wait(1, Cause::Refused, Some(1)) >= 2_000);
        assert!(wait(1, Cause::Refused, Some(i64::MAX)) <= RETRY_AFTER_MAX_MS * 5 / 4);
    }

    #[test]
    fn gives_up_when_old_but_never_before_some_tries() {
        let old = NOW - GIVE_UP_AFTER_MS;
        assert_eq!(next_try_ms(NOW, old, TRIES_MIN, Cause::Refused, None, "m"), None);
        assert!(next_try_ms(NOW, old, TRIES_MIN - 1, Cause::Refused, None, "m").is_some());
        assert!(next_try_ms(NOW, old + 1, 1_000, Cause::Refused, None, "m").is_some());
    }
}
