//! Matters: complaints, requests, defects, promises, rounds of visits and patrols. Facts in, matters found, promises
//! judged, people told. Each use case is one transaction.

pub mod acceptance;
mod after;
pub(in crate::app) mod alerts;
pub mod duties;
mod equipment_rounds;
mod news;
pub mod open;
pub mod reported;
pub mod round;
pub mod step;
pub mod taken_in;
#[cfg(test)]
mod tests;
pub mod view;

use linewatch_shared::matter::{Matter, Standing, advance};
use linewatch_shared::sla::{Effect, Ledger};
use linewatch_shared::time::UnixMs;

use crate::app::desk::{Desk, DeskError};
use crate::db::{DbError, Tx};
use crate::store::matters::{self, StoredMatterFact};
use uuid::Uuid;

fn invalid(field: &'static str, reason: impl Into<String>) -> DeskError {
    DeskError::Invalid { field, reason: reason.into() }
}

/// A matter that changed, with what has to be told.
#[derive(Clone, Debug)]
pub(in crate::app) struct Changed {
    matter: Matter,
    effects: Vec<Effect>,
    /// What somebody did, where that is why.
    news: Option<News>,
}

/// What somebody did about a matter.
#[derive(Clone, Debug)]
struct News {
    /// The fact.
    fact: Uuid,
    /// When it happened.
    at: UnixMs,
    /// `opened`, or the step's kind.
    kind: &'static str,
    /// Who.
    by: String,
    /// The class before, and whether anything was owed then; none of one that is new.
    before: Option<(String, bool)>,
}

impl Changed {
    /// With what somebody did to it; `before` is the matter as it was.
    fn by(self, fact: &StoredMatterFact, before: Option<&Matter>) -> Self {
        let news = News {
            fact: fact.fact.id,
            at: fact.fact.occurred_at,
            kind: fact.fact.event.name(),
            by: fact.by.clone(),
            before: before.map(|matter| (matter.class.clone(), matter.state.is_live())),
        };
        Self { news: Some(news), ..self }
    }
}

/// Judges a matter found anew beside what was told of it, and saves it.
fn settle(tx: &mut Tx<'_>, matter: Matter, ledger: Ledger, now: UnixMs) -> Result<Changed, DbError> {
    let mut standing = Standing { matter, ledger };
    let effects = advance(&mut standing, now);
    matters::save(tx, &standing, now)?;
    Ok(Changed { matter: standing.matter, effects, news: None })
}

/// Writes the outbox and the events of a transaction: its last statements.
pub(in crate::app) fn finish(
    desk: &Desk,
    tx: &mut Tx<'_>,
    changed: &[Changed],
    now: UnixMs,
) -> Result<(), DbError> {
    if changed.is_empty() {
        return Ok(());
    }
    alerts::send(desk, tx, changed, now)?;
    news::send(desk, tx, changed, now)?;
    alerts::append_events(tx, changed, now)?;
    tx.notify("engine")
}
