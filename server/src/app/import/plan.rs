//! What an import would do: every row checked against the file, the packs and the database.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use linewatch_shared::probe_url::ProbeSpec;
use linewatch_shared::rules::parse_duration;
use linewatch_shared::time::{HOUR_MS, SECOND_MS, UnixMs};

use super::table::{Cell, Table, TableRow, mistake};
use super::{ImportError, Kind, RowMistake, Summary};
use crate::app::packs::PackSet;
use crate::app::users::check_name;
use crate::db::Tx;
use crate::store::customers::{self, CustomerRow, REST_COLUMNS};
use crate::store::equipment::{self, Piece};
use crate::store::line_rows::{self, LineRow};
use crate::store::sites::{self, SiteKey, SiteRow};
use crate::store::{agents, contractors};

/// The pack of a customer whose row names none.
const DEFAULT_PACK: &str = "group-line";
/// How often a line is probed when its row does not say.
const DEFAULT_INTERVAL_MS: i64 = SECOND_MS;
/// The shortest time between two probes of a line.
const INTERVAL_MS_MIN: i64 = 100;
/// The longest.
const INTERVAL_MS_MAX: i64 = HOUR_MS;
/// The longest code, in characters.
const CODE_CHARS_MAX: usize = 64;
/// What stands in the place of a customer's code in addresses of the API: no customer could be read by it.
const LISTS_OF_CUSTOMERS: [&str; 3] = ["at-risk", "incomplete", "without-plan"];

/// What to write.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) kind: Kind,
    pub(super) customers: BTreeMap<String, CustomerRow>,
    pub(super) lines: BTreeMap<String, LineRow>,
    pub(super) sites: BTreeMap<SiteKey, SiteRow>,
    pub(super) equipment: Vec<(Piece, Option<String>)>,
    created: Vec<String>,
    changed: Vec<String>,
    unchanged: usize,
    pub(super) new_agents: BTreeSet<String>,
}

impl Plan {
    pub(super) fn summary(&self, dry_run: bool) -> Summary {
        Summary {
            kind: self.kind,
            created: self.created.clone(),
            changed: self.changed.clone(),
            unchanged: self.unchanged,
            agents_created: self.new_agents.iter().cloned().collect(),
            dry_run,
        }
    }
}

/// Checks everything.
///
/// # Errors
/// Every mistake of the file, `early` ones included, in its order.
pub(super) fn make(
    tx: &mut Tx<'_>,
    table: &Table,
    packs: &PackSet,
    early: Vec<RowMistake>,
    now: UnixMs,
) -> Result<Plan, ImportError> {
    let customers = customers::all(tx)?;
    let lines = line_rows::all(tx)?;
    let contractors = contractors::codes(tx)?;
    let mut checker = Checker { table, packs, contractors, mistakes: early, seen: HashMap::new() };
    let plan = match table.kind {
        Kind::Customers => checker.customers(&customers, &lines),
        Kind::Lines => {
            let agents = agents::ids_by_name(tx)?.into_keys().collect();
            checker.lines(&customers, &lines, &agents)
        }
        Kind::Sites => {
            let found =
                super::sites::plan(&mut checker, |code| customers.contains_key(code), &sites::all(tx)?);
            let (created, changed, unchanged) = (found.created, found.changed, found.unchanged);
            Plan { created, changed, unchanged, sites: found.rows, ..empty(Kind::Sites) }
        }
        Kind::Equipment => {
            let pieces = equipment::all(tx)?.into_iter().map(|piece| (piece.id, piece)).collect();
            let known = super::equipment::Known { customers, sites: sites::all(tx)?, pieces };
            let found = super::equipment::plan(&mut checker, &known, now);
            let (created, changed, unchanged) = (found.created, found.changed, found.unchanged);
            Plan { created, changed, unchanged, equipment: found.rows, ..empty(Kind::Equipment) }
        }
    };
    let mut mistakes = checker.mistakes;
    if mistakes.is_empty() {
        return Ok(plan);
    }
    mistakes.sort_by_key(|m| m.line);
    Err(ImportError::Mistakes(mistakes))
}

/// Looks at the rows of a file, and notes what is wrong with them.
pub(super) struct Checker<'a> {
    pub(super) table: &'a Table,
    pub(super) packs: &'a PackSet,
    contractors: BTreeSet<String>,
    mistakes: Vec<RowMistake>,
    /// Codes, with the line that they were on.
    seen: HashMap<&'a str, u64>,
}

impl<'a> Checker<'a> {
    pub(super) fn wrong(&mut self, row: &TableRow, column: &str, reason: impl Into<String>) {
        self.mistakes.push(mistake(row.line, column, reason));
    }

    fn customers(&mut self, known: &HashMap<String, CustomerRow>, lines: &HashMap<String, LineRow>) -> Plan {
        let mut own_tiers: HashMap<&str, BTreeSet<(&str, &str)>> = HashMap::new();
        for (code, line) in lines {
            if let Some(tier) = &line.tier {
                own_tiers.entry(&line.customer).or_default().insert((tier, code));
            }
        }
        let mut plan = empty(Kind::Customers);
        for row in &self.table.rows {
            let Some(code) = self.code(row) else { continue };
            let old = known.get(code);
            // One that came before this rule goes on being imported.
            if old.is_none() && LISTS_OF_CUSTOMERS.contains(&code) {
                let reason =
                    format!("\"{code}\" is a list of customers in the API (/customers/{code}): take another");
                self.wrong(row, "code", reason);
            }
            let Some(new) = self.customer(row, old) else { continue };
            if let Some(pack) = self.packs.get(&new.pack) {
                let lost =
                    own_tiers.get(code).and_then(|own| own.iter().find(|(t, _)| pack.tier(t).is_none()));
                if let Some((tier, line)) = lost {
                    let reason =
                        format!("the line \"{line}\" has the tier \"{tier}\", which \"{}\" lacks", new.pack);
                    self.wrong(row, "pack", reason);
                }
            }
            note(&mut plan.created, &mut plan.changed, &mut plan.unchanged, code, old, &new);
            if old != Some(&new) {
                plan.customers.insert(code.to_owned(), new);
            }
        }
        plan
    }

    fn customer(&mut self, row: &TableRow, old: Option<&CustomerRow>) -> Option<CustomerRow> {
        let name = self.required(row, "name");
        let tier = self.required(row, "tier");
        let pack = match self.table.cell(row, "pack") {
            Cell::Text(text) => text.to_owned(),
            Cell::NoColumn => old.map_or_else(|| DEFAULT_PACK.to_owned(), |old| old.pack.clone()),
            Cell::Empty => DEFAULT_PACK.to_owned(),
        };
        if let Some(tier) = &tier {
            self.tier_in_pack(row, tier, &pack);
        }
        let mut rest = [const { None }; 8];
        for (index, column) in REST_COLUMNS.into_iter().enumerate() {
            let value = self.table.cell(row, column).over(old.and_then(|old| old.rest[index].as_ref()));
            if let Some(text) = value.as_ref().filter(|_| column.ends_with("_email"))
                && let Err(e) = text.parse::<lettre::Address>()
            {
                self.wrong(row, column, format!("\"{text}\" is not a mail address: {e}"));
            }
            if let Some(code) = value.as_ref().filter(|_| column == "contractor") {
                self.contractor(row, code);
            }
            rest[index] = value;
        }
        Some(CustomerRow { name: name?, tier: tier?, pack, rest })
    }

    fn lines(
        &mut self,
        customers: &HashMap<String, CustomerRow>,
        known: &HashMap<String, LineRow>,
        agents: &HashSet<String>,
    ) -> Plan {
        let mut plan = empty(Kind::Lines);
        for row in &self.table.rows {
            let Some(code) = self.code(row) else { continue };
            let old = known.get(code);
            let Some(new) = self.line(row, old, customers) else { continue };
            if let Some(agent) = new.agent.as_ref().filter(|agent| !agents.contains(*agent)) {
                plan.new_agents.insert(agent.clone());
            }
            note(&mut plan.created, &mut plan.changed, &mut plan.unchanged, code, old, &new);
            if old != Some(&new) {
                plan.lines.insert(code.to_owned(), new);
            }
        }
        plan
    }

    fn line(
        &mut self,
        row: &TableRow,
        old: Option<&LineRow>,
        customers: &HashMap<String, CustomerRow>,
    ) -> Option<LineRow> {
        let table = self.table;
        let text = |column: &str, old: Option<&Option<String>>| {
            table.cell(row, column).over(old.and_then(Option::as_ref))
        };
        let customer = self.required(row, "customer");
        let tier = text("tier", old.map(|old| &old.tier));
        match customer.as_ref().map(|code| (code, customers.get(code))) {
            Some((code, None)) => {
                self.wrong(row, "customer", format!("there is no customer with the code \"{code}\""));
            }
            Some((_, Some(customer))) => {
                if let Some(tier) = &tier {
                    self.tier_in_pack(row, tier, &customer.pack);
                }
            }
            None => {}
        }
        let agent = text("agent", old.map(|old| &old.agent));
        if let Some(Err(e)) = agent.as_ref().map(|name| check_name(name)) {
            self.wrong(row, "agent", e.to_string());
        }
        let probe = text("probe", old.map(|old| &old.probe));
        if let Some(Err(e)) = probe.as_ref().map(|url| url.parse::<ProbeSpec>()) {
            self.wrong(row, "probe", e.to_string());
        }
        if probe.is_some() && agent.is_none() {
            self.wrong(row, "agent", "is empty: a line with a probe needs an agent to send it");
        }
        let in_service = text("in_service", old.map(|old| &old.in_service));
        if let Some(day) = in_service.as_ref().filter(|day| !is_day(day)) {
            self.wrong(row, "in_service", format!("\"{day}\" is no day, such as 2026-07-01"));
        }
        let contractor = text("contractor", old.map(|old| &old.contractor));
        if let Some(code) = &contractor {
            self.contractor(row, code);
        }
        let interval_ms = self.interval(row, old);
        Some(LineRow {
            site: text("site", old.map(|old| &old.site)),
            service: text("service", old.map(|old| &old.service)),
            upstream: text("upstream", old.map(|old| &old.upstream)),
            in_service,
            contractor,
            customer: customer?,
            tier,
            agent,
            probe,
            interval_ms: interval_ms?,
        })
    }

    fn interval(&mut self, row: &TableRow, old: Option<&LineRow>) -> Option<i64> {
        let text = match self.table.cell(row, "interval") {
            Cell::NoColumn => return Some(old.map_or(DEFAULT_INTERVAL_MS, |old| old.interval_ms)),
            Cell::Empty => return Some(DEFAULT_INTERVAL_MS),
            Cell::Text(text) => text,
        };
        let reason = match parse_duration(text) {
            Ok(ms) if (INTERVAL_MS_MIN..=INTERVAL_MS_MAX).contains(&ms) => return Some(ms),
            Ok(_) => format!("\"{text}\" is out of range: 100ms to 1h"),
            Err(e) => e.to_string(),
        };
        self.wrong(row, "interval", reason);
        None
    }

    fn code(&mut self, row: &'a TableRow) -> Option<&'a str> {
        let Cell::Text(code) = self.table.cell(row, "code") else {
            self.wrong(row, "code", "is empty");
            return None;
        };
        let unfit =
            |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '\\' | '?' | '#' | '%');
        if code.chars().count() > CODE_CHARS_MAX || code.contains(unfit) || matches!(code, "." | "..") {
            let reason = format!(
                "\"{code}\" is not a code: 1 to {CODE_CHARS_MAX} characters without spaces or / \\ ? # %"
            );
            self.wrong(row, "code", reason);
            return None;
        }
        if let Some(first) = self.seen.insert(code, row.line) {
            self.wrong(row, "code", format!("\"{code}\" is already on line {first}"));
            return None;
        }
        Some(code)
    }

    pub(super) fn required(&mut self, row: &TableRow, column: &str) -> Option<String> {
        if let Cell::Text(text) = self.table.cell(row, column) {
            return Some(text.to_owned());
        }
        self.wrong(row, column, "is empty");
        None
    }

    fn contractor(&mut self, row: &TableRow, code: &str) {
        if !self.contractors.contains(code) {
            let reason = format!("there is no contractor with the code \"{code}\"; add it first");
            self.wrong(row, "contractor", reason);
        }
    }

    fn tier_in_pack(&mut self, row: &TableRow, tier: &str, pack: &str) {
        let Some(found) = self.packs.get(pack) else {
            self.wrong(
                row,
                "pack",
                format!("there is no pack called \"{pack}\"; in force: {}", self.packs.names()),
            );
            return;
        };
        if found.tier(tier).is_none() {
            let tiers: Vec<&str> = found.tiers.iter().map(|tier| tier.name.as_str()).collect();
            let reason = format!("\"{tier}\" is not a tier of the pack \"{pack}\": {}", tiers.join(", "));
            self.wrong(row, "tier", reason);
        }
    }
}

/// A day as it is written: years of four digits, so that days sort as texts.
fn is_day(text: &str) -> bool {
    text.len() == 10 && chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

const fn empty(kind: Kind) -> Plan {
    Plan {
        kind,
        customers: BTreeMap::new(),
        lines: BTreeMap::new(),
        sites: BTreeMap::new(),
        equipment: Vec::new(),
        created: Vec::new(),
        changed: Vec::new(),
        unchanged: 0,
        new_agents: BTreeSet::new(),
    }
}

/// Counts a row as new, changed or known.
pub(super) fn note<T: PartialEq>(
    created: &mut Vec<String>,
    changed: &mut Vec<String>,
    unchanged: &mut usize,
    code: &str,
    old: Option<&T>,
    new: &T,
) {
    match old {
        None => created.push(code.to_owned()),
        Some(old) if old != new => changed.push(code.to_owned()),
        Some(_) => *unchanged += 1,
    }
}
