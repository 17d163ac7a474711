//! What an agent is told of open work, so that its people see the same offline: `POST /sync/v1/tasks`.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Hash;
use crate::matter::Matter;
use crate::sla::Event;
use crate::time::UnixMs;

/// The most faults of an answer, the newest first left out.
pub const TASK_FAULTS_MAX: usize = 500;
/// The most matters of an answer.
pub const TASK_MATTERS_MAX: usize = 1_000;

/// Asks for the open work in the agent's scope.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tasks {
    /// The digest of what the agent has; none for nothing.
    pub known: Option<Hash>,
}

/// The open work in an agent's scope, whole. An agent that has it already gets none.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TasksAnswer {
    /// The digest of `work`: as MessagePack, SHA-256.
    pub digest: Hash,
    /// The work; none where the agent has this digest.
    pub work: Option<Work>,
}

/// Open work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Faults that are not over, of the agent's lines.
    pub faults: Vec<WorkFault>,
    /// Matters that are not over, of the customers of the agent's lines.
    pub matters: Vec<WorkMatter>,
}

/// A fault with its facts, which the agent folds as the server does, together with what it wrote down itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkFault {
    /// The fault's id.
    pub id: Uuid,
    /// The line's code.
    pub line: String,
    /// The facts of the line that the fold needs, in its order.
    pub facts: Vec<WorkFact>,
}

/// A fact of a line, its time corrected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkFact {
    /// The record's id.
    pub id: Uuid,
    /// When it happened.
    pub occurred_at: UnixMs,
    /// Who wrote it.
    pub by: String,
    /// What happened.
    pub event: Event,
}

/// A matter as the server found it; what it owes follows by [`crate::matter::deadlines`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkMatter {
    /// The matter.
    pub matter: Matter,
    /// What it is about in full, and who asked.
    pub description: String,
    /// Who asked, as told.
    pub reporter: String,
}
