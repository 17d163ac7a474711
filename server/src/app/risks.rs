//! Customers at risk: what their figures of the last months say, each with its reasons, and what somebody entered. For
//! each the visit that is owed is proposed for an earlier day; planning it so is the account manager's step.

use std::collections::{BTreeMap, BTreeSet};

use linewatch_shared::matter::deadlines;
use linewatch_shared::rules::{MatterKind, RiskRules};
use linewatch_shared::sla::PackVersion;
use linewatch_shared::time::UnixMs;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::app::desk::view::Lens;
use crate::app::desk::{Desk, DeskError};
use crate::app::packs::packs_in_force_from;
use crate::app::{Action, audit, service};
use crate::db::{DbError, Tx};
use crate::store::figures;
use crate::store::matters::{self, WantedMatters};
use crate::store::risks::{self, Entered, Look, Looked};
use crate::store::scope::Scope;

/// How many make a reason, by the thresholds.
type Least = fn(&RiskRules) -> i64;
/// Customers looked at in one reading.
const PAGE: i64 = 200;

/// One reason why a customer may be lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Reason {
    /// `missed_promises`, `interrupted_lines`, `repeat_faults`, `unsatisfied_callbacks`, `complaints`, `survey_unanswered` or `entered`.
    pub kind: &'static str,
    /// How many within the time that the pack says; of repeat faults, how many the line has had in the year.
    pub count: i64,
    /// The line with repeat faults.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// The limit that the line stays below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// What was entered by hand: its id, by which it is taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// What was entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Who entered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl Reason {
    const fn counted(kind: &'static str, count: i64) -> Self {
        Self { kind, count, line: None, limit: None, id: None, text: None, by: None }
    }
}

/// The visit that is owed, and when it would better be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OwedVisit {
    /// The round; plan it by its step `planned`.
    pub matter: Uuid,
    /// By when it is owed, RFC 3339.
    pub due_at: Option<String>,
    /// When it is planned for.
    pub planned_at: Option<String>,
    /// By when it is proposed; null where it is due or planned by then already.
    pub proposed_by: Option<String>,
}

/// A customer at risk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AtRisk {
    /// The customer's code.
    pub customer: String,
    /// Its name.
    pub name: String,
    /// Its account manager; empty for none.
    pub manager: String,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The visit that is owed next; null where none comes round.
    pub visit: Option<OwedVisit>,
}

/// Customers at risk after a code, at most `limit`; those of one account manager, where one is named.
///
/// # Errors
/// The database's.
pub fn list(
    desk: &Desk,
    tx: &mut Tx<'_>,
    of: (&Scope, Option<&str>),
    after: &str,
    limit: usize,
    now: UnixMs,
) -> Result<Vec<AtRisk>, DbError> {
    let versions = desk.packs.versions(tx)?;
    let mut found = Vec::new();
    let mut after = after.to_owned();
    loop {
        let page = risks::customers(tx, of, &after, PAGE)?;
        let Some(last) = page.last() else { return Ok(found) };
        let look = Look { after, upto: last.code.clone(), since: now, now };
        let more = page.len() as i64 >= PAGE;
        let of_each: BTreeMap<String, RiskRules> =
            page.iter().map(|one| (one.code.clone(), rules_of(&versions, one, now))).collect();
        let mut reasons = reasons(tx, &versions, &look, &of_each)?;
        for Looked { code, name, manager, .. } in page {
            let Some(reasons) = reasons.remove(&code) else { continue };
            let within_ms = of_each.get(&code).copied().unwrap_or_default().visit_within_ms;
            let visit = owed_visit(tx, &code, now + within_ms, now)?;
            found.push(AtRisk { customer: code, name, manager, reasons, visit });
            if found.len() >= limit {
                return Ok(found);
            }
        }
        after = look.upto;
        if !more {
            return Ok(found);
        }
    }
}

/// The thresholds of the first pack that has some and is for the customer, its own before the others.
fn rules_of(versions: &[PackVersion], customer: &Looked, now: UnixMs) -> RiskRules {
    let packs = packs_in_force_from(versions, &customer.pack, now);
    let mut of_customer = packs.into_iter().filter(|pack| pack.is_for(&customer.code, &customer.pack));
    of_customer.find_map(|pack| pack.at_risk).unwrap_or_default()
}

fn reasons(
    tx: &mut Tx<'_>,
    versions: &[PackVersion],
    look: &Look,
    of_each: &BTreeMap<String, RiskRules>,
) -> Result<BTreeMap<String, Vec<Reason>>, DbError> {
    let mut all: BTreeMap<String, Vec<Reason>> = BTreeMap::new();
    // Customers whose packs look back equally far are counted together.
    let spans: BTreeSet<i64> = of_each.values().map(|rules| rules.look_back_ms).collect();
    for look_back_ms in spans {
        let look = Look { since: look.now - look_back_ms, ..look.clone() };
        let counted: [(_, Least, _); 5] = [
            ("missed_promises", |rules| rules.missed_promises, risks::missed(tx, &look)?),
            ("interrupted_lines", |rules| rules.interrupted_lines, risks::interrupted(tx, &look)?),
            ("unsatisfied_callbacks", |rules| rules.unsatisfied_callbacks, risks::unsatisfied(tx, &look)?),
            ("complaints", |rules| rules.complaints, risks::complaints(tx, &look)?),
            ("survey_unanswered", |rules| rules.surveys_unanswered, risks::unanswered(tx, &look)?),
        ];
        for (kind, least, counts) in counted {
            for (customer, count) in counts {
                let of = of_each.get(&customer).filter(|rules| rules.look_back_ms == look_back_ms);
                if of.map(least).is_some_and(|least| least > 0 && count >= least) {
                    all.entry(customer).or_default().push(Reason::counted(kind, count));
                }
            }
        }
    }
    repeat_faults(tx, versions, look, of_each, &mut all)?;
    for entered in risks::entered(tx, look)? {
        let Entered { id, customer, reason, by, .. } = entered;
        let reason =
            Reason { id: Some(id), text: Some(reason), by: Some(by), ..Reason::counted("entered", 1) };
        all.entry(customer).or_default().push(reason);
    }
    Ok(all)
}

/// Lines that are short of their limit of the year by so few faults, at it, or beyond it.
fn repeat_faults(
    tx: &mut Tx<'_>,
    versions: &[PackVersion],
    look: &Look,
    of_each: &BTreeMap<String, RiskRules>,
    all: &mut BTreeMap<String, Vec<Reason>>,
) -> Result<(), DbError> {
    let lens = Lens { now: look.now, versions };
    let mut packs: Vec<&str> = versions.iter().map(|version| version.pack.name.as_str()).collect();
    packs.sort_unstable();
    packs.dedup();
    // A rolling count reaches into the year before.
    let Some(earliest) = packs.iter().map(|pack| lens.year(pack) - 1).min() else { return Ok(()) };
    for counting in risks::counting(tx, look, earliest)? {
        let parts = figures::of_line(tx, &counting.line, lens.year(&counting.pack))?;
        let repeat = lens.figures(&counting.pack, &counting.tier, &parts).repeat;
        let short = of_each.get(&counting.customer).and_then(|rules| rules.repeat_faults_short);
        let is_near = |limit: &u32| short.is_some_and(|short| repeat.count.saturating_add(short) >= *limit);
        let Some(limit) = repeat.limit.filter(is_near) else { continue };
        if repeat.count == 0 {
            continue;
        }
        let count = i64::from(repeat.count);
        let reason = Reason {
            line: Some(counting.line),
            limit: Some(limit),
            ..Reason::counted("repeat_faults", count)
        };
        all.entry(counting.customer).or_default().push(reason);
    }
    Ok(())
}

fn owed_visit(
    tx: &mut Tx<'_>,
    customer: &str,
    proposed: UnixMs,
    now: UnixMs,
) -> Result<Option<OwedVisit>, DbError> {
    let wanted = WantedMatters {
        kind: MatterKind::Visit.name().to_owned(),
        state: "live".to_owned(),
        customer: customer.to_owned(),
        ..WantedMatters::default()
    };
    let Some(standing) = matters::list(tx, &wanted, 1)?.into_iter().next() else { return Ok(None) };
    let round = standing.matter;
    let due_at = deadlines(&round, now).iter().map(|deadline| deadline.due_at).min();
    let is_soon = |at: Option<UnixMs>| at.is_some_and(|at| at <= proposed);
    let is_made = round.resolved_at.is_some();
    let is_early = is_made || is_soon(due_at) || is_soon(round.planned_at);
    Ok(Some(OwedVisit {
        matter: round.id,
        due_at: due_at.map(UnixMs::to_rfc3339),
        planned_at: round.planned_at.map(UnixMs::to_rfc3339),
        proposed_by: (!is_early).then(|| proposed.to_rfc3339()),
    }))
}

/// Enters that a customer is at risk.
///
/// # Errors
/// When there is no such customer.
pub fn enter(tx: &mut Tx<'_>, new: &Entered, now: UnixMs) -> Result<(), DeskError> {
    service::known(tx, &new.customer)?;
    risks::enter(tx, new)?;
    let detail = json!({ "risk": new.id });
    audit(tx, now.0, &new.by, Action::RiskEntered, &format!("customer {}", new.customer), Some(&detail))?;
    Ok(())
}

/// Takes back what was entered.
///
/// # Errors
/// When there is none.
pub fn take_back(tx: &mut Tx<'_>, id: Uuid, by: &str, now: UnixMs) -> Result<(), DeskError> {
    if !risks::end(tx, id, now)? {
        return Err(DeskError::NoRisk(id));
    }
    audit(tx, now.0, by, Action::RiskTakenBack, &id.to_string(), None)?;
    Ok(())
}
