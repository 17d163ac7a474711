//! Who is told of a promise, and until when: the pack's entries choose people and ways, quiet hours keep mails back, and
//! a ladder is climbed until somebody takes the alert.
//!
//! Invariant: one effect, one alert. Messages, ladders and what is kept back are written in the transaction of the effect,
//! each under a key that follows from the effect's; a restart, or a second node, finds them there. Never here: what has
//! to be told (the rules say so), and how it is delivered (`notify`).

pub mod climb;
mod morning;
mod receivers;
mod standing;
pub mod take;
mod tell;
#[cfg(test)]
mod tests;
pub mod view;
#[cfg(test)]
mod view_tests;

use linewatch_shared::rules::Pack;
use linewatch_shared::sla::{Effect, Mark};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

pub(in crate::app) use tell::Teller;

use crate::app::desk::Desk;
use linewatch_shared::rules::Occasion;

/// What is said of a promise, or of what somebody did.
#[derive(Clone, Debug)]
pub(in crate::app) struct Said {
    /// Under which it is said once.
    pub key: String,
    /// What is owed, or what was done.
    pub kind: String,
    /// `missed`, `changed`, …
    pub mark: String,
    /// The moment that it speaks of.
    pub at: UnixMs,
    /// Whether that is so long ago that it must not sound like news.
    pub late: bool,
    /// When it is due.
    pub due_at: UnixMs,
}

impl Said {
    pub(in crate::app) fn of(effect: &Effect) -> Self {
        Self {
            key: effect.key.to_string(),
            kind: effect.key.kind.name().to_owned(),
            mark: effect.key.mark.to_string(),
            at: effect.at,
            late: effect.late,
            due_at: effect.due_at,
        }
    }
}

/// Of what an alert is, as far as it decides who is told.
#[derive(Clone, Copy, Debug)]
pub(in crate::app) struct About<'a> {
    /// The rules: the pack of that name as it is in force now, for who is told is no promise.
    pub pack: Option<&'a Pack>,
    /// The fault or matter.
    pub subject: Uuid,
    /// Which of the two.
    pub of_matter: bool,
    /// The customer's code.
    pub customer: &'a str,
    /// To whom it belongs; empty where that is the account manager.
    pub owner: &'a str,
    /// The upstream node, or the customer.
    pub cause: &'a str,
    /// The tier, class or cadence.
    pub tier: &'a str,
}

/// Whether anybody is told of an effect. That a late promise was met after all alarms nobody unless the pack says so; it
/// ends an incident where incidents are kept.
pub(in crate::app) fn is_told(desk: &Desk, pack: Option<&Pack>, effect: &Effect, tier: &str) -> bool {
    let rule = || pack.and_then(|pack| pack.alert_rule(Occasion::MetLate, effect.key.kind, tier));
    desk.channels.tell(effect.key.mark) || (effect.key.mark == Mark::MetLate && rule().is_some())
}
