//! The equipment ledger of each site: what stands there, in which condition, and when it was tested.

use chrono::NaiveDate;
use linewatch_shared::matter::{MatterStep, Point};
use linewatch_shared::rules::{MatterKind, Pack, RETIRED};
use linewatch_shared::time::{DAY_MS, UnixMs};
use serde_json::json;
use uuid::Uuid;

use super::desk::report::check_time;
use super::desk::{Desk, DeskError};
use super::matters::duties::assign_to;
use super::matters::step::{NewMatterStep, step};
use super::packs::packs_in_force_from;
use super::{Action, audit, derived_id};
use crate::db::{DbError, Tx};
use crate::store::equipment::{self, Graded, Piece};
use crate::store::{duties, sites};

/// The most pieces of one customer.
pub const PER_CUSTOMER_MAX: i64 = 5_000;
/// The most grades, rounds and defects of a piece that are shown or looked at.
pub const SHOWN_MAX: i64 = 200;
/// Why the first grade is what it is.
pub const ENTERED: &str = "entered";

/// A piece's id follows from its place and its label.
#[must_use]
pub fn piece_id(site: Uuid, label: &str) -> Uuid {
    derived_id(site, json!(["equipment", label]).to_string().as_bytes())
}

fn invalid(field: &'static str, reason: String) -> DeskError {
    DeskError::Invalid { field, reason }
}

/// What a piece is said to be: its kind, its grade and its days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Its kind in the packs.
    pub kind: String,
    /// The grade of its condition.
    pub grade: String,
    /// When it was installed, such as `2024-05-01`.
    pub installed_on: Option<String>,
    /// When it was last tested.
    pub tested_on: Option<String>,
}

/// What of it is wrong: the column, and why. `packs` are those that are for the customer.
pub fn mistake<'a>(
    packs: impl Iterator<Item = &'a Pack>,
    said: &Said,
    now: UnixMs,
) -> Option<(&'static str, String)> {
    let packs: Vec<&Pack> = packs.collect();
    let kinds = || packs.iter().flat_map(|pack| &pack.equipment).map(|kind| kind.name.as_str());
    let Some(pack) = packs.iter().find(|pack| pack.equipment.iter().any(|kind| kind.name == said.kind))
    else {
        let known: Vec<&str> = kinds().collect();
        let reason = if known.is_empty() {
            "no pack in force for this customer has kinds of equipment".to_owned()
        } else {
            format!("\"{}\" is no kind of equipment; known: {}", said.kind, known.join(", "))
        };
        return Some(("kind", reason));
    };
    let grades = || pack.conditions.iter().map(|grade| grade.name.as_str()).chain([RETIRED]);
    if !grades().any(|grade| grade == said.grade) {
        let known: Vec<&str> = grades().collect();
        return Some((
            "condition",
            format!("\"{}\" is no condition; known: {}", said.grade, known.join(", ")),
        ));
    }
    let day = |column, text: Option<&String>| {
        let text = text?;
        let read = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
        let tomorrow = (now + DAY_MS).to_utc().date_naive();
        match read {
            None => Some((column, format!("\"{text}\" is no day such as 2024-05-01"))),
            Some(day) if day > tomorrow => Some((column, format!("{text} lies in the future"))),
            Some(_) => None,
        }
    };
    day("installed_on", said.installed_on.as_ref()).or_else(|| day("tested_on", said.tested_on.as_ref()))
}

/// The packs that are for a customer, its own first.
fn check(desk: &Desk, tx: &mut Tx<'_>, customer: &str, said: &Said, now: UnixMs) -> Result<(), DeskError> {
    let versions = desk.packs.versions(tx)?;
    let owner = duties::customer(tx, customer)?.unwrap_or_default();
    let packs = packs_in_force_from(&versions, &owner.pack, now);
    let of_customer =
        packs.into_iter().map(AsRef::as_ref).filter(|pack: &&Pack| pack.is_for(customer, &owner.pack));
    match mistake(of_customer, said, now) {
        Some((field, reason)) => Err(invalid(field, reason)),
        None => Ok(()),
    }
}

/// Writes a piece into the ledger of a site; its tests fall due from now on.
///
/// # Errors
/// When the site is not known, the label is taken, or the packs know no such kind or condition.
pub fn add(
    desk: &Desk,
    tx: &mut Tx<'_>,
    (site, label): (Uuid, &str),
    said: Said,
    by: &str,
    now: UnixMs,
) -> Result<Uuid, DeskError> {
    let site = sites::one(tx, site)?.ok_or(DeskError::NoSite(site))?;
    let (customer, site_name) = site.key;
    check(desk, tx, &customer, &said, now)?;
    let id = piece_id(site.id, label);
    if equipment::one(tx, id)?.is_some() {
        return Err(invalid("label", format!("\"{label}\" is in the ledger of \"{site_name}\" already")));
    }
    if equipment::count(tx, &customer)? >= PER_CUSTOMER_MAX {
        return Err(invalid("label", format!("a customer has at most {PER_CUSTOMER_MAX} pieces")));
    }
    let piece = piece(id, (site.id, &customer, &site_name), label, said);
    equipment::save(tx, &piece, now)?;
    let (grade, reason) = (piece.grade.clone(), ENTERED.to_owned());
    equipment::insert_grade(tx, id, &Graded { at: now, grade, reason, by: by.to_owned() })?;
    audit(tx, now.0, by, Action::EquipmentAdded, &id.to_string(), None)?;
    owe_tests(desk, tx, &customer, now)?;
    Ok(id)
}

/// A piece that has just come into the ledger.
#[must_use]
pub fn piece(id: Uuid, (site, customer, site_name): (Uuid, &str, &str), label: &str, said: Said) -> Piece {
    Piece {
        id,
        site,
        customer: customer.to_owned(),
        site_name: site_name.to_owned(),
        label: label.to_owned(),
        kind: said.kind,
        grade: said.grade,
        installed_on: said.installed_on,
        tested_on: said.tested_on,
        last_round_at: None,
        next_due_at: None,
    }
}

/// Sees to it that the rounds of the customer's equipment come round.
fn owe_tests(desk: &Desk, tx: &mut Tx<'_>, customer: &str, now: UnixMs) -> Result<(), DbError> {
    let versions = desk.packs.versions(tx)?;
    if let Some(customer) = duties::customer(tx, customer)? {
        assign_to(tx, &versions, &customer, now)?;
    }
    // The loop that begins rounds sleeps on this.
    tx.notify("reference")
}

/// A condition that was found, and why it is so.
#[derive(Clone, Debug)]
pub struct NewGrade {
    /// The piece.
    pub piece: Uuid,
    /// The grade, or `retired`.
    pub grade: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: UnixMs,
}

/// Changes the condition of a piece. What is retired is owed no more rounds: the open ones are cancelled.
///
/// # Errors
/// When there is no such piece or grade, it has that grade, or a later one is known.
pub fn grade(desk: &Desk, tx: &mut Tx<'_>, new: &NewGrade, by: &str, now: UnixMs) -> Result<(), DeskError> {
    check_time("at", new.at, now)?;
    let mut piece = equipment::one(tx, new.piece)?.ok_or(DeskError::NoEquipment(new.piece))?;
    let said = Said { kind: piece.kind.clone(), grade: new.grade.clone(), ..Said::default() };
    check(desk, tx, &piece.customer, &said, now)?;
    if piece.grade == new.grade {
        return Err(invalid("condition", format!("it is \"{}\" already", new.grade)));
    }
    if let Some(last) = equipment::grades(tx, piece.id, 1)?.first().filter(|last| last.at > new.at) {
        let reason = format!("it was found \"{}\" at {}, after that", last.grade, last.at.to_rfc3339());
        return Err(invalid("at", reason));
    }
    piece.grade.clone_from(&new.grade);
    equipment::save(tx, &piece, now)?;
    let graded =
        Graded { at: new.at, grade: new.grade.clone(), reason: new.reason.clone(), by: by.to_owned() };
    equipment::insert_grade(tx, piece.id, &graded)?;
    let detail = json!({ "condition": new.grade });
    audit(tx, now.0, by, Action::EquipmentGraded, &piece.id.to_string(), Some(&detail))?;
    if piece.grade == RETIRED {
        cancel_rounds(desk, tx, &piece, &new.reason, by, now)?;
    }
    Ok(owe_tests(desk, tx, &piece.customer, now)?)
}

fn cancel_rounds(
    desk: &Desk,
    tx: &mut Tx<'_>,
    piece: &Piece,
    reason: &str,
    by: &str,
    now: UnixMs,
) -> Result<(), DeskError> {
    let open = equipment::matters(tx, piece.id, SHOWN_MAX)?.into_iter().map(|standing| standing.matter);
    for round in open.filter(|matter| matter.kind == MatterKind::Patrol && matter.state.is_live()) {
        let cancelled = NewMatterStep {
            id: derived_id(round.id, format!("{RETIRED}/{}", now.0).as_bytes()),
            matter: round.id,
            step: MatterStep::Cancelled { reason: reason.to_owned() },
            promises: Vec::new(),
            occurred_at: now,
            by: by.to_owned(),
        };
        step(desk, tx, &cancelled, now)?;
    }
    Ok(())
}

/// A piece that somebody names has to be the customer's, and at the site where one is named.
///
/// # Errors
/// When it is not.
pub fn must_be_at(
    tx: &mut Tx<'_>,
    field: &'static str,
    id: Uuid,
    customer: &str,
    site: Option<&str>,
) -> Result<Piece, DeskError> {
    let piece = equipment::one(tx, id)?.ok_or(DeskError::NoEquipment(id))?;
    if piece.customer != customer {
        return Err(invalid(field, format!("customer {customer} has no equipment {id}")));
    }
    match site.filter(|site| *site != piece.site_name) {
        Some(site) => {
            let reason = format!("\"{}\" stands at \"{}\", not at \"{site}\"", piece.label, piece.site_name);
            Err(invalid(field, reason))
        }
        None => Ok(piece),
    }
}

/// The pieces that points of a round name are at its site.
///
/// # Errors
/// When one is not.
pub fn check_points(
    tx: &mut Tx<'_>,
    points: &[Point],
    customer: &str,
    site: Option<&str>,
) -> Result<(), DeskError> {
    let mut named: Vec<Uuid> = points.iter().filter_map(|point| point.equipment).collect();
    named.sort_unstable();
    named.dedup();
    named.into_iter().try_for_each(|id| must_be_at(tx, "points", id, customer, site).map(drop))
}
