//! What a transaction changed: the source of its alerts and events.

use linewatch_shared::sla::{Effect, Fault};
use linewatch_shared::time::UnixMs;
use serde_json::json;
use uuid::Uuid;

use crate::db::{DbError, Tx};
use crate::store::outgoing::{EventKind, NewEvent, append_events};

/// Changed faults and what has to be told.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Each changed fault as it is now, with its effects.
    pub faults: Vec<(Fault, Vec<Effect>)>,
    /// Ids that were faults of their own and are aliases now.
    pub replaced: Vec<Uuid>,
    /// What happened to agents, as events.
    pub agents: Vec<NewEvent>,
}

impl Changes {
    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.faults.is_empty() && self.replaced.is_empty() && self.agents.is_empty()
    }

    /// Tells the boards.
    ///
    /// # Errors
    /// The database's.
    pub fn append_events(&self, tx: &mut Tx<'_>, now: UnixMs) -> Result<(), DbError> {
        let mut events = self.agents.clone();
        let fault = |id| NewEvent { kind: EventKind::Fault, subject: Some(id), body: String::new() };
        events.extend(self.replaced.iter().map(|id| fault(*id)));
        for (changed, effects) in &self.faults {
            events.push(fault(changed.id));
            events.extend(effects.iter().map(|effect| deadline_event(changed, effect)));
        }
        append_events(tx, &events, now)
    }
}

fn deadline_event(fault: &Fault, effect: &Effect) -> NewEvent {
    let body = json!({
        "fault": fault.id,
        "line": fault.line,
        "kind": effect.key.kind.name(),
        "mark": effect.key.mark.to_string(),
        "at": effect.at.to_rfc3339(),
        "due_at": effect.due_at.to_rfc3339(),
        "late": effect.late,
    });
    NewEvent { kind: EventKind::Deadline, subject: Some(fault.id), body: body.to_string() }
}
