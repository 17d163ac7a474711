//! How a try to hand a message over can fail, as far as the next try depends on it.

/// How a try failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// No conversation came about: the next message of this destination would fare the same.
    Unreachable,
    /// The destination asked to be left alone for a while.
    Busy,
    /// The conversation broke.
    Broken,
    /// Refused for now.
    Temporary,
    /// Refused for good.
    Permanent,
}

/// A failed try.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Failure {
    /// How.
    pub kind: FailureKind,
    /// Why, for people.
    pub reason: String,
    /// How long the other side asked us to wait, in milliseconds.
    pub retry_after_ms: Option<i64>,
}

impl Failure {
    fn new(kind: FailureKind, reason: &str) -> Self {
        Self { kind, reason: reason.to_owned(), retry_after_ms: None }
    }

    /// See [`FailureKind::Unreachable`].
    #[must_use]
    pub fn unreachable(reason: &str) -> Self {
        Self::new(FailureKind::Unreachable, reason)
    }

    /// See [`FailureKind::Busy`].
    #[must_use]
    pub fn busy(reason: &str, retry_after_ms: Option<i64>) -> Self {
        Self { retry_after_ms, ..Self::new(FailureKind::Busy, reason) }
    }

    /// See [`FailureKind::Broken`].
    #[must_use]
    pub fn broken(reason: &str) -> Self {
        Self::new(FailureKind::Broken, reason)
    }

    /// See [`FailureKind::Temporary`].
    #[must_use]
    pub fn temporary(reason: &str) -> Self {
        Self::new(FailureKind::Temporary, reason)
    }

    /// See [`FailureKind::Permanent`].
    #[must_use]
    pub fn permanent(reason: &str) -> Self {
        Self::new(FailureKind::Permanent, reason)
    }

    /// The same failure with a wish to wait.
    #[must_use]
    pub fn after(self, retry_after_ms: Option<i64>) -> Self {
        Self { retry_after_ms, ..self }
    }
}
