//! The calls to the server, and what their failures mean.

use std::future::Future;

use linewatch_shared::wire::{
    Chunk, ChunkAnswer, Heartbeat, HeartbeatAnswer, Hello, HelloAnswer, Parts, PartsAnswer, Pull, PullPage,
    PushAnswer, Tasks, TasksAnswer,
};

/// A call failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallError {
    /// No answer, or one that cannot be read: says nothing about what was sent.
    #[error("{0}")]
    Unreachable(String),
    /// The server answered with an error of its own (`application/problem+json`).
    #[error("the server answers {status} {code}: {detail}")]
    Problem {
        /// The HTTP status.
        status: u16,
        /// The stable code; empty when something between answered.
        code: String,
        /// In words.
        detail: String,
        /// When to try again, as the server asks.
        retry_after_ms: Option<i64>,
    },
}

/// What a failure means for the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Try again later.
    Later {
        /// When the server asks for.
        retry_after_ms: Option<i64>,
    },
    /// The server holds other records under our numbers.
    Fork,
    /// This very message cannot be taken in.
    Rejected,
    /// The pull's cursor is of another time.
    Gone,
    /// The credential is refused.
    Refused,
}

impl CallError {
    /// Whether the server says that this agent was revoked.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        matches!(self, Self::Problem { status: 403, code, .. } if code == "revoked")
    }

    /// Whether the server says that this agent's certificate counts no more: it has expired, or is an older one than it
    /// knows, as after an old disk was put back. The key may still prove itself.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let codes = ["expired_certificate", "unknown_certificate"];
        matches!(self, Self::Problem { status: 401, code, .. } if codes.contains(&code.as_str()))
    }

    /// What the failure means. Only an answer with a code is the server's own word; anything else may be
    /// a proxy's or a captive portal's.
    #[must_use]
    pub fn meaning(&self) -> Meaning {
        let Self::Problem { status, code, retry_after_ms, .. } = self else {
            return Meaning::Later { retry_after_ms: None };
        };
        match (*status, code.as_str()) {
            (_, "") => Meaning::Later { retry_after_ms: *retry_after_ms },
            (409, "fork") => Meaning::Fork,
            (400 | 413 | 415 | 422, _) => Meaning::Rejected,
            (410, _) => Meaning::Gone,
            (401 | 403, _) => Meaning::Refused,
            _ => Meaning::Later { retry_after_ms: *retry_after_ms },
        }
    }
}

/// The calls of a conversation.
pub trait Transport: Send {
    /// `POST /sync/v1/hello`
    fn hello(&self, hello: &Hello) -> impl Future<Output = Result<HelloAnswer, CallError>> + Send;
    /// `POST /sync/v1/push`, with a packed batch.
    fn push(&self, packed: Vec<u8>) -> impl Future<Output = Result<PushAnswer, CallError>> + Send;
    /// `POST /sync/v1/pull`
    fn pull(&self, pull: &Pull) -> impl Future<Output = Result<PullPage, CallError>> + Send;
    /// `POST /sync/v1/heartbeat`
    fn heartbeat(
        &self,
        heartbeat: &Heartbeat,
    ) -> impl Future<Output = Result<HeartbeatAnswer, CallError>> + Send;
    /// `POST /sync/v1/tasks`
    fn tasks(&self, tasks: &Tasks) -> impl Future<Output = Result<TasksAnswer, CallError>> + Send;
    /// `POST /sync/v1/parts`
    fn parts(&self, parts: &Parts) -> impl Future<Output = Result<PartsAnswer, CallError>> + Send;
    /// `POST /sync/v1/chunk`
    fn chunk(&self, chunk: &Chunk) -> impl Future<Output = Result<ChunkAnswer, CallError>> + Send;
}
