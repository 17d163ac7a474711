//! The end of a service: of a customer, or of one of its lines. From that moment on nothing is promised; what was
//! promised before is kept or missed as ever. Facts that still come are kept, and faults found in them owe nothing.

use linewatch_shared::matter::MatterStep;
use linewatch_shared::rules::MatterKind;
use linewatch_shared::time::UnixMs;
use serde_json::json;

use crate::app::desk::{Desk, DeskError};
use crate::app::matters::step::{NewMatterStep, step};
use crate::app::{Action, audit, derived_id};
use crate::db::{DbError, Tx};
use crate::store::matters::{self, WantedMatters};
use crate::store::{admission, customers, line_rows, reference, service};

/// An end may be dated back by no more than this, for clocks that differ a little (ms).
const BACK_MAX_MS: i64 = 5 * linewatch_shared::time::MINUTE_MS;
/// The most customers or lines that are looked at in one transaction.
const AT_ONCE: i64 = 200;
/// Who acts when the time has come.
const BY_RULE: &str = "rule";

/// What ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Everything of a customer.
    Customer(String),
    /// One line.
    Line(String),
}

/// Ends a service at a moment, or lets it go on.
///
/// # Errors
/// When there is no such customer or line; when the moment has passed; when what is personal was erased already.
pub fn end(
    desk: &Desk,
    tx: &mut Tx<'_>,
    what: &Ending,
    ends_at: Option<UnixMs>,
    by: &str,
    now: UnixMs,
) -> Result<(), DeskError> {
    if let Some(at) = ends_at.filter(|at| now.since(*at) > BACK_MAX_MS) {
        let reason = format!("{} has passed: what was promised since then stays promised", at.to_rfc3339());
        return Err(DeskError::Invalid { field: "ends_at", reason });
    }
    // What begins at this very moment is no earlier than what is written now.
    let ends_at = ends_at.map(|at| at.max(now));
    let (kind, code) = match what {
        Ending::Customer(code) => {
            let standing = service::of_customer(tx, code)?;
            let standing = standing.ok_or_else(|| DeskError::NoCustomer(code.clone()))?;
            if standing.erased_at.is_some() {
                let detail =
                    format!("what was personal of customer {code} was erased: import it as a new one");
                return Err(DeskError::Impossible { detail, possible: Vec::new() });
            }
            service::end_customer(tx, code, ends_at)?;
            (reference::Kind::Customer, code)
        }
        Ending::Line(code) => {
            if !service::end_line(tx, code, ends_at)? {
                return Err(DeskError::NoLine(code.clone()));
            }
            (reference::Kind::Line, code)
        }
    };
    let action = if ends_at.is_some() { Action::ServiceEnded } else { Action::ServiceGoesOn };
    let detail = ends_at.map(|at| json!({ "ends_at": at.to_rfc3339() }));
    audit(tx, now.0, by, action, &format!("{} {code}", kind.name()), detail.as_ref())?;
    let lines = line_rows::save_changed_terms(tx, now)?;
    come_round(desk, tx, now)?;
    let mut changed = vec![(kind, code.clone())];
    changed.extend(lines.into_iter().map(|line| (reference::Kind::Line, line)));
    Ok(reference::changed(tx, &changed)?)
}

/// Acts upon ends that have come: rounds that are owed no longer are cancelled, agents are given the lines no more.
/// Answers how many customers and lines there were.
///
/// # Errors
/// The database's.
pub fn come_round(desk: &Desk, tx: &mut Tx<'_>, now: UnixMs) -> Result<usize, DeskError> {
    let customers = service::turned_customers(tx, now, AT_ONCE)?;
    let lines = service::turned_lines(tx, now, AT_ONCE)?;
    let mut changed = Vec::new();
    for (code, over) in &customers {
        if *over {
            cancel_rounds(desk, tx, code, now)?;
        }
        service::mark_customer(tx, code, *over)?;
        changed.push((reference::Kind::Customer, code.clone()));
    }
    for (code, over) in &lines {
        service::mark_line(tx, code, *over)?;
        changed.push((reference::Kind::Line, code.clone()));
    }
    reference::changed(tx, &changed)?;
    Ok(changed.len())
}

fn cancel_rounds(desk: &Desk, tx: &mut Tx<'_>, customer: &str, now: UnixMs) -> Result<(), DeskError> {
    for kind in [MatterKind::Visit, MatterKind::Patrol] {
        let wanted = WantedMatters {
            kind: kind.name().to_owned(),
            state: "live".to_owned(),
            customer: customer.to_owned(),
            ..WantedMatters::default()
        };
        for standing in matters::list(tx, &wanted, AT_ONCE)? {
            let round = standing.matter;
            let cancelled = NewMatterStep {
                id: derived_id(round.id, b"service ended"),
                matter: round.id,
                step: MatterStep::Cancelled { reason: "the service has ended".to_owned() },
                promises: Vec::new(),
                occurred_at: now,
                by: BY_RULE.to_owned(),
            };
            step(desk, tx, &cancelled, now)?;
        }
    }
    Ok(())
}

/// Refuses a new duty of a customer that is not admitted, or whose service has ended.
///
/// # Errors
/// When it has.
pub fn refuse_ended(tx: &mut Tx<'_>, customer: &str, now: UnixMs) -> Result<(), DeskError> {
    if let Some(open) = admission::of(tx, customer)?.filter(|admission| admission.state != "admitted") {
        let reason =
            format!("customer {customer} is {}: nothing comes round before it is admitted", open.state);
        return Err(DeskError::Invalid { field: "customer", reason });
    }
    let standing = service::of_customer(tx, customer)?.unwrap_or_default();
    match standing.ends_at.filter(|at| *at <= now) {
        Some(at) => {
            let reason = format!(
                "the service of customer {customer} ended at {}: nothing comes round",
                at.to_rfc3339()
            );
            Err(DeskError::Invalid { field: "customer", reason })
        }
        None => Ok(()),
    }
}

/// The name of a customer that there is.
///
/// # Errors
/// When there is no such customer.
pub fn known(tx: &mut Tx<'_>, code: &str) -> Result<customers::Owners, DeskError> {
    customers::owners(tx, code)?.ok_or_else(|| DeskError::NoCustomer(code.to_owned()))
}

impl From<DeskError> for DbError {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Db(error) => error,
            other => Self::Data(other.to_string()),
        }
    }
}
