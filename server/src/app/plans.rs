//! A key customer's plan of the year (一户一策): goals, measures, a review. It is written by an account manager and approved
//! by somebody else; its measures become promises some time before their day, so that they are warned of, on the day's
//! list and in reports like every promise.

mod owed;
mod view;

pub use owed::{NoPlan, notice, without_plan};
pub use view::{MeasureView, PlanView, read};

use linewatch_shared::matter::Opening;
use linewatch_shared::rules::{MatterKind, Pack, PlanRules};
use linewatch_shared::sla::{PackVersion, local_year, year_bounds};
use linewatch_shared::time::UnixMs;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

use crate::app::desk::{Desk, DeskError};
use crate::app::matters::open::{NewMatter, open};
use crate::app::packs::packs_in_force_from;
use crate::app::{Action, audit, derived_id, service};
use crate::db::Tx;
use crate::store::plans::{self, Measure, Plan};

/// The most measures of a plan.
pub const MEASURES_MAX: usize = 50;
/// The most plans whose measures are opened in one transaction.
const PLANS_AT_ONCE: i64 = 50;
/// Who acts when the time has come.
const BY_RULE: &str = "rule";

/// A measure as somebody writes it.
#[derive(Clone, Debug)]
pub struct NewMeasure {
    /// What is done.
    pub what: String,
    /// By when.
    pub by: UnixMs,
    /// Who answers for it; the customer's account manager where nobody is named.
    pub owner: String,
}

/// A plan as somebody writes it.
#[derive(Clone, Debug)]
pub struct NewPlan {
    /// Its id, where it is the customer's first of the year.
    pub id: Uuid,
    /// The customer's code.
    pub customer: String,
    /// The year.
    pub year: i32,
    /// What is to be reached.
    pub goals: String,
    /// What is done for it.
    pub measures: Vec<NewMeasure>,
    /// When it is looked at again.
    pub review_at: Option<UnixMs>,
    /// Who writes it.
    pub by: String,
}

fn invalid(field: &'static str, reason: impl Into<String>) -> DeskError {
    DeskError::Invalid { field, reason: reason.into() }
}

fn impossible(detail: String) -> DeskError {
    DeskError::Impossible { detail, possible: Vec::new() }
}

/// The pack whose plans a customer has: its own, or the first other one that is for it.
fn rules_of<'a>(
    versions: &'a [PackVersion],
    customer: &str,
    under: &str,
    now: UnixMs,
) -> Option<(&'a Arc<Pack>, &'a PlanRules)> {
    let packs = packs_in_force_from(versions, under, now).into_iter();
    packs.filter(|pack| pack.is_for(customer, under)).find_map(|pack| Some((pack, pack.plans.as_ref()?)))
}

/// Writes a plan, or writes it anew: it waits for approval then. Measures that are promised already stay as they are.
///
/// # Errors
/// When the customer has no plans, the year is not this one or the next, or a measure is not acceptable: nothing is
/// changed then.
pub fn put(desk: &Desk, tx: &mut Tx<'_>, new: &NewPlan, now: UnixMs) -> Result<PlanView, DeskError> {
    tx.lock(&[plans::lock_key(&new.customer)])?;
    let owners = service::known(tx, &new.customer)?;
    service::refuse_ended(tx, &new.customer, now)?;
    let versions = desk.packs.versions(tx)?;
    let (pack, _) = rules_of(&versions, &new.customer, &owners.pack, now)
        .ok_or_else(|| invalid("customer", "no pack in force for the customer has [plans]"))?;
    let this_year = local_year(pack.time_zone, now);
    if new.year != this_year && new.year != this_year + 1 {
        return Err(invalid("year", format!("is {this_year} or {}", this_year + 1)));
    }
    let before = plans::one(tx, &new.customer, new.year)?;
    let promised: Vec<Measure> = match &before {
        Some(plan) => plans::measures(tx, plan.id)?.into_iter().filter(|one| one.matter.is_some()).collect(),
        None => Vec::new(),
    };
    let bounds = year_bounds(pack.time_zone, new.year);
    let measures = checked(new, owners.manager.as_deref().unwrap_or_default(), promised, bounds, now)?;
    let plan = Plan {
        id: before.map_or(new.id, |plan| plan.id),
        customer: new.customer.clone(),
        year: new.year,
        state: "proposed".to_owned(),
        goals: new.goals.clone(),
        review_at: new.review_at,
        written: (new.by.clone(), now),
        approved: None,
    };
    plans::save(tx, &plan)?;
    plans::save_measures(tx, plan.id, &measures)?;
    let detail = json!({ "year": new.year, "measures": measures.len() });
    audit(tx, now.0, &new.by, Action::PlanWritten, &format!("customer {}", new.customer), Some(&detail))?;
    view::of(tx, &plan, now)
}

/// The measures with their numbers: those that are promised first, as they were.
fn checked(
    new: &NewPlan,
    manager: &str,
    promised: Vec<Measure>,
    (from, to): (UnixMs, UnixMs),
    now: UnixMs,
) -> Result<Vec<Measure>, DeskError> {
    if new.measures.is_empty() || new.measures.len() > MEASURES_MAX {
        return Err(invalid("measures", format!("are 1 to {MEASURES_MAX}")));
    }
    let mut list = promised;
    for one in &list {
        if !new.measures.iter().any(|written| written.what == one.what && written.by == one.by) {
            return Err(impossible(format!(
                "measure \"{}\" is promised already: leave it in, and put it off or drop it by a step of its matter {}",
                one.what,
                one.matter.unwrap_or_default()
            )));
        }
    }
    let mut n = list.iter().map(|one| one.n).max().unwrap_or_default();
    let mut seen: Vec<(&str, UnixMs)> = Vec::new();
    for NewMeasure { what, by, owner } in &new.measures {
        if seen.contains(&(what.as_str(), *by)) {
            return Err(invalid("measures", format!("\"{what}\" stands there twice")));
        }
        seen.push((what, *by));
        if list.iter().any(|one| one.matter.is_some() && one.what == *what && one.by == *by) {
            continue;
        }
        if *by < from || *by >= to {
            let reason = format!("\"{what}\" is due outside of the year {}", new.year);
            return Err(invalid("measures", reason));
        }
        if *by <= now {
            return Err(invalid("measures", format!("\"{what}\" is due at a time that has passed")));
        }
        let owner = if owner.is_empty() { manager } else { owner };
        if owner.is_empty() {
            let reason =
                format!("customer {} has no account manager: name who answers for \"{what}\"", new.customer);
            return Err(invalid("measures", reason));
        }
        n += 1;
        let (what, owner) = (what.clone(), owner.to_owned());
        list.push(Measure { n, what, by: *by, owner, opens_at: None, matter: None });
    }
    Ok(list)
}

/// Approves a plan that somebody else has written: its measures will be promised, each some time before its day.
///
/// # Errors
/// When there is none that waits for it, who approves has written it, or a measure's day has passed meanwhile.
pub fn approve(
    desk: &Desk,
    tx: &mut Tx<'_>,
    (customer, year): (&str, i32),
    by: &str,
    now: UnixMs,
) -> Result<PlanView, DeskError> {
    tx.lock(&[plans::lock_key(customer)])?;
    let owners = service::known(tx, customer)?;
    let missing = || impossible(format!("customer {customer} has no plan for {year}: write one first"));
    let mut plan = plans::one(tx, customer, year)?.ok_or_else(missing)?;
    if plan.state == "approved" {
        return Err(impossible(format!("the plan for {year} is approved already")));
    }
    if plan.written.0 == by {
        return Err(impossible(format!("{by} has written the plan: somebody else approves it")));
    }
    let versions = desk.packs.versions(tx)?;
    let (_, rules) = rules_of(&versions, customer, &owners.pack, now)
        .ok_or_else(|| invalid("customer", "no pack in force for the customer has [plans]"))?;
    let mut measures = plans::measures(tx, plan.id)?;
    for one in measures.iter_mut().filter(|one| one.matter.is_none()) {
        if one.by <= now {
            return Err(impossible(format!("the day of \"{}\" has passed: write the plan anew", one.what)));
        }
        one.opens_at = Some((one.by - rules.open_before_ms).max(now));
    }
    "approved".clone_into(&mut plan.state);
    plan.approved = Some((by.to_owned(), now));
    plans::save(tx, &plan)?;
    plans::save_measures(tx, plan.id, &measures)?;
    let detail = json!({ "year": year, "written_by": plan.written.0 });
    audit(tx, now.0, by, Action::PlanApproved, &format!("customer {customer}"), Some(&detail))?;
    open_measures(desk, tx, &plan, None, now)?;
    view::of(tx, &plan, now)
}

/// Opens a measure before its time: so that it can be done, put off or dropped by steps of its matter.
///
/// # Errors
/// When there is no such measure of an approved plan.
pub fn begin(
    desk: &Desk,
    tx: &mut Tx<'_>,
    (customer, year, n): (&str, i32, i64),
    now: UnixMs,
) -> Result<PlanView, DeskError> {
    tx.lock(&[plans::lock_key(customer)])?;
    let plan = plans::one(tx, customer, year)?.filter(|plan| plan.state == "approved");
    let plan =
        plan.ok_or_else(|| impossible(format!("customer {customer} has no approved plan for {year}")))?;
    let known = plans::measures(tx, plan.id)?;
    if !known.iter().any(|one| one.n == n) {
        return Err(impossible(format!("the plan for {year} has no measure {n}; it has {}", known.len())));
    }
    open_measures(desk, tx, &plan, Some(n), now)?;
    view::of(tx, &plan, now)
}

/// Opens the promises whose time has come; answers how many plans were looked at.
///
/// # Errors
/// The database's.
pub fn come_round(desk: &Desk, tx: &mut Tx<'_>, now: UnixMs) -> Result<usize, DeskError> {
    let due = plans::to_open(tx, now, PLANS_AT_ONCE)?;
    let keys: Vec<_> = due.iter().map(|(_, customer)| plans::lock_key(customer)).collect();
    tx.lock(&keys)?;
    for (id, customer) in &due {
        let Some(plan) = plans::by_id(tx, *id)? else { continue };
        open_measures(desk, tx, &plan, None, now)?;
        tracing::debug!(customer, year = plan.year, "measures of a plan were opened");
    }
    Ok(due.len())
}

/// Opens the measures whose time has come, and the one that is named. One that cannot be promised any more, because its
/// customer's service has ended or its class is gone, waits no longer.
fn open_measures(
    desk: &Desk,
    tx: &mut Tx<'_>,
    plan: &Plan,
    named: Option<i64>,
    now: UnixMs,
) -> Result<(), DeskError> {
    let owners = service::known(tx, &plan.customer)?;
    let versions = desk.packs.versions(tx)?;
    let rules = rules_of(&versions, &plan.customer, &owners.pack, now);
    let is_served = match service::refuse_ended(tx, &plan.customer, now) {
        Ok(()) => true,
        Err(DeskError::Db(error)) => return Err(error.into()),
        Err(_) => false,
    };
    let mut measures = plans::measures(tx, plan.id)?;
    for one in measures.iter_mut().filter(|one| one.matter.is_none()) {
        if one.opens_at.is_none_or(|at| at > now) && named != Some(one.n) {
            continue;
        }
        one.opens_at = None;
        let Some((pack, rules)) = rules.filter(|_| is_served) else { continue };
        let opening = Opening {
            kind: MatterKind::Promise,
            class: rules.class.clone(),
            customer: plan.customer.clone(),
            line: None,
            site: None,
            title: one.what.clone(),
            description: plan.goals.clone(),
            reporter: plan.written.0.clone(),
            owner: one.owner.clone(),
            first_receiver: plan.written.0.clone(),
            unit: None,
            wanted_by: Some(one.by),
            about: Some(plan.id),
            equipment: None,
        };
        let id = derived_id(plan.id, format!("measure\0{}", one.n).as_bytes());
        let new =
            NewMatter { id, opening, pack: Some(pack.name.clone()), opened_at: now, by: BY_RULE.to_owned() };
        match open(desk, tx, &new, now) {
            Ok(matter) => one.matter = Some(matter.id),
            Err(DeskError::Db(error)) => return Err(error.into()),
            Err(refused) if named.is_some() => return Err(refused),
            // Nobody is there to hear it: it stays planned, and can be opened by hand once the pack is mended.
            Err(refused) => {
                tracing::warn!(plan = %plan.id, measure = one.n, %refused, "a measure is not promised");
            }
        }
    }
    Ok(plans::save_measures(tx, plan.id, &measures)?)
}
