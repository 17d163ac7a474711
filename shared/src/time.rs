//! Instants and spans. Wall time is UTC milliseconds; the present moment is always passed in.

use std::ops::{Add, Sub};
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// One second, in milliseconds.
pub const SECOND_MS: i64 = 1_000;
/// One minute, in milliseconds.
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
/// One hour, in milliseconds.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Twenty-four hours, in milliseconds.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// A moment of wall time: milliseconds since 1970-01-01T00:00:00Z, leap seconds ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMs(pub i64);

impl UnixMs {
    /// The moment beyond every real one; a bound, never a time that is shown.
    pub const MAX: Self = Self(i64::MAX);

    /// Milliseconds from `earlier` to this moment; negative when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// RFC 3339 in UTC with milliseconds, such as `2026-03-01T08:00:00.000Z`.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        self.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// Reads RFC 3339 with any offset.
    ///
    /// # Errors
    /// When the text is not RFC 3339.
    pub fn parse_rfc3339(text: &str) -> Result<Self, chrono::ParseError> {
        DateTime::parse_from_rfc3339(text).map(|t| Self(t.timestamp_millis()))
    }

    /// The same moment for chrono; moments outside chrono's range are clamped.
    #[must_use]
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or(if self.0 < 0 {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        })
    }
}

impl Add<i64> for UnixMs {
    type Output = Self;
    fn add(self, span_ms: i64) -> Self {
        Self(self.0.saturating_add(span_ms))
    }
}

impl Sub<i64> for UnixMs {
    type Output = Self;
    fn sub(self, span_ms: i64) -> Self {
        Self(self.0.saturating_sub(span_ms))
    }
}

/// Milliseconds of a clock that never steps and counts sleep; comparable only within one boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MonoMs(pub i64);

/// Where a program gets its time. `main` makes one and passes it down.
pub trait Clock: Send + Sync + 'static {
    /// The wall time, which may step.
    fn now(&self) -> UnixMs;
    /// The monotonic time, which may not.
    fn mono(&self) -> MonoMs;
}

/// A clock that a test sets.
#[derive(Debug, Default)]
pub struct ManualClock {
    now_ms: AtomicI64,
    mono_ms: AtomicI64,
}

impl ManualClock {
    /// A clock that stands at `now`, with its monotonic time at zero.
    #[must_use]
    pub fn at(now: UnixMs) -> Self {
        Self { now_ms: AtomicI64::new(now.0), mono_ms: AtomicI64::new(0) }
    }

    /// Lets `span_ms` pass on both clocks.
    pub fn advance(&self, span_ms: i64) {
        self.now_ms.fetch_add(span_ms, Ordering::SeqCst);
        self.mono_ms.fetch_add(span_ms, Ordering::SeqCst);
    }

    /// Steps the wall clock alone, as a person or a time server would.
    pub fn step_wall(&self, span_ms: i64) {
        self.now_ms.fetch_add(span_ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UnixMs {
        UnixMs(self.now_ms.load(Ordering::SeqCst))
    }
    fn mono(&self) -> MonoMs {
        MonoMs(self.mono_ms.load(Ordering::SeqCst))
    }
}
