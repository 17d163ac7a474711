//! Rows of equipment.

use std::collections::HashMap;

use linewatch_shared::rules::RETIRED;
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::plan::{Checker, note};
use super::sites::key;
use super::table::{Cell, TableRow};
use crate::app::equipment::{self, ENTERED, PER_CUSTOMER_MAX, Said};
use crate::app::sites::site_id;
use crate::store::customers::CustomerRow;
use crate::store::equipment::Piece;
use crate::store::sites::{SiteKey, SiteRow};

/// What to write of a file of equipment.
#[derive(Debug, Default)]
pub(super) struct EquipmentPlan {
    /// Each piece, with the reason where its grade is new.
    pub(super) rows: Vec<(Piece, Option<String>)>,
    pub(super) created: Vec<String>,
    pub(super) changed: Vec<String>,
    pub(super) unchanged: usize,
}

/// What is known already.
pub(super) struct Known {
    pub(super) customers: HashMap<String, CustomerRow>,
    pub(super) sites: HashMap<SiteKey, SiteRow>,
    pub(super) pieces: HashMap<Uuid, Piece>,
}

/// Checks every row.
pub(super) fn plan(checker: &mut Checker<'_>, known: &Known, now: UnixMs) -> EquipmentPlan {
    let mut plan = EquipmentPlan::default();
    let mut seen: HashMap<Uuid, u64> = HashMap::new();
    let mut counts: HashMap<String, i64> = HashMap::new();
    for piece in known.pieces.values() {
        *counts.entry(piece.customer.clone()).or_default() += 1;
    }
    let table = checker.table;
    for row in &table.rows {
        let Some(place) = key(checker, row, |code| known.customers.contains_key(code), "site") else {
            continue;
        };
        let Some(label) = checker.required(row, "label") else { continue };
        if !known.sites.contains_key(&place) {
            let reason = format!("customer {} has no site \"{}\": import sites first", place.0, place.1);
            checker.wrong(row, "site", reason);
            continue;
        }
        let site = site_id(&place);
        let id = equipment::piece_id(site, &label);
        if let Some(first) = seen.insert(id, row.line) {
            checker.wrong(row, "label", format!("\"{label}\" is already on line {first}"));
            continue;
        }
        let old = known.pieces.get(&id);
        let Some((said, reason)) = said(checker, row, old) else { continue };
        let Some(customer) = known.customers.get(&place.0) else { continue };
        let packs = checker.packs.iter().map(|loaded| loaded.pack.as_ref());
        let of_customer = packs.filter(|pack| pack.is_for(&place.0, &customer.pack));
        if let Some((column, reason)) = equipment::mistake(of_customer, &said, now) {
            checker.wrong(row, column, reason);
            continue;
        }
        if old.is_none() {
            let count = counts.entry(place.0.clone()).or_default();
            *count += 1;
            if *count > PER_CUSTOMER_MAX {
                checker.wrong(row, "label", format!("a customer has at most {PER_CUSTOMER_MAX} pieces"));
                continue;
            }
        }
        let mut new = equipment::piece(id, (site, &place.0, &place.1), &label, said);
        if let Some(old) = old {
            (new.last_round_at, new.next_due_at) = (old.last_round_at, old.next_due_at);
        }
        let name = format!("{}/{}/{label}", place.0, place.1);
        note(&mut plan.created, &mut plan.changed, &mut plan.unchanged, &name, old, &new);
        if old != Some(&new) {
            plan.rows.push((new, reason));
        }
    }
    plan
}

/// What a row says of a piece, and why its grade is what it is where that is new.
fn said(checker: &mut Checker<'_>, row: &TableRow, old: Option<&Piece>) -> Option<(Said, Option<String>)> {
    let table = checker.table;
    let text = |column: &str, old: Option<&String>| table.cell(row, column).over(old);
    let kind = text("kind", old.map(|old| &old.kind));
    let grade = text("condition", old.map(|old| &old.grade));
    for (column, value) in [("kind", &kind), ("condition", &grade)] {
        if value.is_none() {
            checker.wrong(row, column, "is empty");
        }
    }
    let (kind, grade) = kind.zip(grade)?;
    let tested_on = text("tested_on", old.and_then(|old| old.tested_on.as_ref()));
    if old.is_some_and(|old| old.tested_on != tested_on) {
        let reason = "a later test is entered as its round, by a fact of that matter";
        checker.wrong(row, "tested_on", reason);
        return None;
    }
    let reason = match (old.map(|old| &old.grade), table.cell(row, "reason")) {
        (Some(old), _) if *old == grade => None,
        (Some(_), _) if grade == RETIRED => {
            let reason = "is changed to retired by /equipment/{id}/condition, which cancels its rounds too";
            checker.wrong(row, "condition", reason);
            return None;
        }
        (None, Cell::NoColumn | Cell::Empty) => Some(ENTERED.to_owned()),
        (_, Cell::Text(reason)) => Some(reason.to_owned()),
        (Some(old), _) => {
            let why =
                format!("is empty: the condition changes from \"{old}\" to \"{grade}\" only with a reason");
            checker.wrong(row, "reason", why);
            return None;
        }
    };
    let installed_on = text("installed_on", old.and_then(|old| old.installed_on.as_ref()));
    Some((Said { kind, grade, installed_on, tested_on }, reason))
}
