//! Rows of sites.

use std::collections::{BTreeMap, HashMap};

use super::plan::{Checker, note};
use super::table::{Cell, TableRow};
use crate::app::sites;
use crate::store::sites::{SITE_COLUMNS, SiteKey, SiteRow};

/// What to write of a file of sites.
#[derive(Debug, Default)]
pub(super) struct SitePlan {
    pub(super) rows: BTreeMap<SiteKey, SiteRow>,
    pub(super) created: Vec<String>,
    pub(super) changed: Vec<String>,
    pub(super) unchanged: usize,
}

/// Checks every row.
pub(super) fn plan(
    checker: &mut Checker<'_>,
    is_customer: impl Fn(&str) -> bool,
    known: &HashMap<SiteKey, SiteRow>,
) -> SitePlan {
    let mut plan = SitePlan::default();
    let mut seen: HashMap<SiteKey, u64> = HashMap::new();
    let table = checker.table;
    for row in &table.rows {
        let Some(key) = key(checker, row, &is_customer, "name") else { continue };
        if let Some(first) = seen.insert(key.clone(), row.line) {
            checker.wrong(row, "name", format!("\"{}\" is already on line {first}", key.1));
            continue;
        }
        let old = known.get(&key);
        let mut new = SiteRow::default();
        for (at, column) in SITE_COLUMNS.into_iter().enumerate() {
            new.fields[at] = table.cell(row, column).over(old.and_then(|old| old.fields[at].as_ref()));
        }
        if let Some((column, reason)) = sites::mistake(&new) {
            checker.wrong(row, column, reason);
            continue;
        }
        let name = format!("{}/{}", key.0, key.1);
        note(&mut plan.created, &mut plan.changed, &mut plan.unchanged, &name, old, &new);
        if old != Some(&new) {
            plan.rows.insert(key, new);
        }
    }
    plan
}

/// The place that a row is about: a known customer's code, and the site's name in a column.
pub(super) fn key(
    checker: &mut Checker<'_>,
    row: &TableRow,
    is_customer: impl Fn(&str) -> bool,
    column: &str,
) -> Option<SiteKey> {
    let customer = checker.required(row, "customer");
    let name = checker.required(row, column);
    if let Some(code) = customer.as_ref().filter(|code| !is_customer(code)) {
        checker.wrong(row, "customer", format!("there is no customer with the code \"{code}\""));
        return None;
    }
    if let Cell::Text(name) = checker.table.cell(row, column)
        && name.chars().count() > sites::NAME_CHARS_MAX
    {
        checker.wrong(row, column, format!("has more than {} characters", sites::NAME_CHARS_MAX));
        return None;
    }
    customer.zip(name)
}
