//! Acceptance: something new is handed over, and is to be accepted by a visit that both sides sign.

use std::collections::BTreeMap;

use linewatch_shared::matter::{Accepting, Matter, MatterState, Opening, Side, deadlines};
use linewatch_shared::rules::{Accepted, Cadence, MatterKind, Pack};
use linewatch_shared::sla::{DeadlineKind, PackVersion};
use linewatch_shared::time::UnixMs;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::duties::PER_TRANSACTION_MAX;
use super::open::{NewMatter, begin, give_owner};
use super::{Changed, finish, invalid};
use crate::app::desk::report::check_time;
use crate::app::desk::{Desk, DeskError, Touched};
use crate::app::packs::packs_in_force_from;
use crate::app::{Action, audit, derived_id, service};
use crate::db::{DbError, LockKey, Tx};
use crate::store::customers::{self, Owners};
use crate::store::duties::DutyCustomer;
use crate::store::{acceptance, allowances, lines, reference, sites};

/// Who writes what the rules alone demand.
const BY_RULE: &str = "rule";

/// What is handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Thing {
    /// The line of that code.
    Line(String),
    /// The site of that id.
    Site(Uuid),
}

/// An acceptance to open.
#[derive(Clone, Debug)]
pub struct NewAcceptance {
    /// Its id, made beforehand so that a second try is the same.
    pub id: Uuid,
    /// What is to be accepted.
    pub thing: Thing,
    /// Which `[[acceptance]]`, where there are several.
    pub name: Option<String>,
    /// Who answers for it; empty for the account manager.
    pub owner: String,
    /// When it was handed over.
    pub handed_over_at: UnixMs,
    /// Who says so.
    pub by: String,
}

/// What is to be accepted, found.
struct Found {
    of: Accepted,
    customer: String,
    line: Option<String>,
    site: Option<String>,
    /// What it is called.
    name: String,
}

/// Opens an acceptance: from the handover on it is owed.
///
/// # Errors
/// When there is no such thing, it is accepted or to be accepted already, or no pack says how.
pub fn open(desk: &Desk, tx: &mut Tx<'_>, new: &NewAcceptance, now: UnixMs) -> Result<Matter, DeskError> {
    check_time("handed_over_at", new.handed_over_at, now)?;
    let found = find(tx, &new.thing)?;
    let subject = format!("{} {}", found.of.name(), found.name);
    tx.lock(&[LockKey::new("acceptance", subject.as_bytes())])?;
    service::refuse_ended(tx, &found.customer, now)?;
    refuse_twice(tx, &found, now)?;
    let versions = desk.packs.versions(tx)?;
    let owners = customers::owners(tx, &found.customer)?.unwrap_or_default();
    let rules = rules_for(&versions, &found, &owners, new.handed_over_at);
    let (pack, rule) = choose(&rules, found.of, new.name.as_deref())?;
    let (pack, class) = (pack.name.clone(), rule.name.clone());
    let mut opening = found.opening(class, &new.by);
    opening.owner.clone_from(&new.owner);
    give_owner(&mut opening, &owners)?;
    let (id, by) = (new.id, new.by.clone());
    let opened = NewMatter { id, opening: opening.clone(), pack: None, opened_at: new.handed_over_at, by };
    let changed = begin(tx, &versions, &pack, &opened, opening, now)?;
    let detail = json!({ "matter": id, "handed_over_at": new.handed_over_at.to_rfc3339() });
    audit(tx, now.0, &new.by, Action::AcceptanceOpened, &subject, Some(&detail))?;
    let matter = changed.matter.clone();
    promises_moved(desk, tx, None, &matter, now)?;
    finish(desk, tx, &[changed], now)?;
    Ok(matter)
}

fn find(tx: &mut Tx<'_>, thing: &Thing) -> Result<Found, DeskError> {
    match thing {
        Thing::Line(code) => {
            let line = lines::one(tx, code)?.ok_or_else(|| DeskError::NoLine(code.clone()))?;
            let (site, name) = (Some(line.site).filter(|site| !site.is_empty()), line.code.clone());
            Ok(Found { of: Accepted::Line, customer: line.customer, line: Some(line.code), site, name })
        }
        Thing::Site(id) => {
            let (customer, name) = sites::one(tx, *id)?.ok_or(DeskError::NoSite(*id))?.key;
            Ok(Found { of: Accepted::Site, customer, line: None, site: Some(name.clone()), name })
        }
    }
}

impl Found {
    fn opening(&self, class: String, by: &str) -> Opening {
        Opening {
            kind: MatterKind::Visit,
            class,
            customer: self.customer.clone(),
            line: self.line.clone(),
            site: self.site.clone(),
            title: self.name.clone(),
            description: String::new(),
            reporter: String::new(),
            owner: String::new(),
            first_receiver: by.to_owned(),
            unit: None,
            wanted_by: None,
            about: None,
            equipment: None,
        }
    }
}

/// What is accepted is accepted: only a line that has moved to another site or customer is accepted anew.
fn refuse_twice(tx: &mut Tx<'_>, found: &Found, now: UnixMs) -> Result<(), DeskError> {
    let known = match &found.line {
        Some(line) => {
            let ends_at = lines::one(tx, line)?.and_then(|line| line.service_ends_at);
            if let Some(at) = ends_at.filter(|at| *at <= now) {
                let detail = format!("the service of line {line} ended at {}", at.to_rfc3339());
                return Err(DeskError::Impossible { detail, possible: Vec::new() });
            }
            acceptance::of_line(tx, line)?
        }
        None => acceptance::of_site(tx, &found.customer, &found.name)?,
    };
    let Some(known) = known.map(|standing| standing.matter) else { return Ok(()) };
    let is_here = known.customer == found.customer && known.site == found.site;
    let detail = match known.acceptance.as_ref().and_then(|accepting| accepting.accepted_at) {
        Some(at) if is_here => format!("it was accepted at {}: see matter {}", at.to_rfc3339(), known.id),
        Some(_) => return Ok(()),
        None => format!("it is to be accepted already: step on matter {}, or cancel that one", known.id),
    };
    Err(DeskError::Impossible { detail, possible: Vec::new() })
}

/// The rules that are for the customer: those of its own pack, or else of others.
fn rules_for<'a>(
    versions: &'a [PackVersion],
    found: &Found,
    owners: &Owners,
    at: UnixMs,
) -> Vec<(&'a Pack, &'a Cadence)> {
    let packs = packs_in_force_from(versions, &owners.pack, at);
    let of_customer = packs.into_iter().filter(|pack| pack.is_for(&found.customer, &owners.pack));
    let mut rules: Vec<(&Pack, &Cadence)> = Vec::new();
    for pack in of_customer {
        let is_it = |cadence: &&Cadence| cadence.acceptance.is_some_and(|rule| rule.of == found.of);
        rules.extend(pack.cadences.iter().filter(is_it).map(|cadence| (pack.as_ref(), cadence)));
    }
    if rules.iter().any(|(pack, _)| pack.name == owners.pack) {
        rules.retain(|(pack, _)| pack.name == owners.pack);
    }
    rules
}

fn choose<'a>(
    rules: &[(&'a Pack, &'a Cadence)],
    of: Accepted,
    name: Option<&str>,
) -> Result<(&'a Pack, &'a Cadence), DeskError> {
    let known: Vec<&str> = rules.iter().map(|(_, rule)| rule.name.as_str()).collect();
    let known = known.join(", ");
    let of = of.name();
    let fits: Vec<_> = rules.iter().filter(|(_, rule)| name.is_none_or(|name| rule.name == name)).collect();
    match (fits.as_slice(), name) {
        ([one], _) => Ok(**one),
        ([], _) if rules.is_empty() => {
            Err(invalid("name", format!("no pack that is for the customer has an [[acceptance]] of a {of}")))
        }
        ([], Some(name)) => Err(invalid(
            "name",
            format!("there is no acceptance of a {of} called \"{name}\"; known: {known}"),
        )),
        _ => Err(invalid("name", format!("there are several acceptances of a {of}: {known}; name one"))),
    }
}

/// Opens what the packs want accepted without anybody's asking: lines of a customer that are new since then.
pub(super) fn open_fresh(
    tx: &mut Tx<'_>,
    versions: &[PackVersion],
    customer: &DutyCustomer,
    now: UnixMs,
) -> Result<Vec<Changed>, DbError> {
    if !customer.is_served || !versions.iter().any(|known| rules_at_import(&known.pack).next().is_some()) {
        return Ok(Vec::new());
    }
    let owners = customers::owners(tx, &customer.code)?.unwrap_or_default();
    let of = |name: &str, site: Option<String>| Found {
        of: Accepted::Line,
        customer: customer.code.clone(),
        line: Some(name.to_owned()),
        site: site.filter(|site| !site.is_empty()),
        name: name.to_owned(),
    };
    let rules = rules_for(versions, &of("", None), &owners, now);
    let wanted = rules.into_iter().find(|(_, rule)| rule.acceptance.is_some_and(|rule| rule.at_import));
    let Some((pack, rule)) = wanted else { return Ok(Vec::new()) };
    let since = versions.iter().filter(|known| known.pack.name == pack.name && known.valid_from <= now);
    let since = since.map(|known| known.valid_from).max().unwrap_or(now);
    let mut changed = Vec::new();
    for (line, site, at) in acceptance::fresh_lines(tx, &customer.code, since, PER_TRANSACTION_MAX)? {
        // Its id follows from the line, so that a second node opens the same.
        let id = derived_id(Uuid::nil(), json!(["acceptance", line, at.0]).to_string().as_bytes());
        let mut opening = of(&line, site).opening(rule.name.clone(), BY_RULE);
        opening.owner = owners.manager.clone().unwrap_or_default();
        opening.first_receiver.clone_from(&opening.owner);
        let new =
            NewMatter { id, opening: opening.clone(), pack: None, opened_at: at, by: BY_RULE.to_owned() };
        changed.push(begin(tx, versions, &pack.name, &new, opening, now)?);
    }
    Ok(changed)
}

fn rules_at_import(pack: &Pack) -> impl Iterator<Item = &Cadence> {
    pack.cadences.iter().filter(|cadence| cadence.acceptance.is_some_and(|rule| rule.at_import))
}

/// Where a line's promises wait for its acceptance, they begin with it: its faults since the handover are judged anew.
/// The caller holds the matter's lock, and has written neither events nor messages yet.
pub(super) fn promises_moved(
    desk: &Desk,
    tx: &mut Tx<'_>,
    before: Option<&Matter>,
    after: &Matter,
    now: UnixMs,
) -> Result<(), DbError> {
    let (Some(accepting), Some(line)) = (&after.acceptance, &after.line) else { return Ok(()) };
    let said = |matter: &Matter| {
        (matter.acceptance.as_ref().and_then(|a| a.accepted_at), matter.state == MatterState::Cancelled)
    };
    if before.map(said) == Some(said(after)) {
        return Ok(());
    }
    // A promised availability counts since it serves.
    allowances::ask_for(tx, std::slice::from_ref(line), now)?;
    if !accepting.promises_wait {
        return Ok(());
    }
    desk.settle(tx, &BTreeMap::from([(line.clone(), Touched::at(after.opened_at))]), now)?;
    reference::changed(tx, &[(reference::Kind::Line, line.clone())])
}

/// How the acceptance of a line or site stands.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct AcceptanceView {
    /// `open`: to be inspected; `inspected`: to be signed; `refused`: to be inspected once more; or `accepted`.
    pub state: &'static str,
    /// The matter.
    pub matter: Uuid,
    /// When it was handed over.
    pub handed_over_at: String,
    /// By when it is to be accepted, while it is not.
    pub due_at: Option<String>,
    /// How often it was refused.
    pub refusals: u32,
    /// When both sides had signed.
    pub accepted_at: Option<String>,
    /// Who signed for us. Who signed for the customer stands in the matter.
    pub accepted_by: Option<String>,
}

impl AcceptanceView {
    /// Of a matter that is one, as of a moment.
    #[must_use]
    pub fn of(matter: &Matter, now: UnixMs) -> Option<Self> {
        let accepting = matter.acceptance.as_ref()?;
        let owed = deadlines(matter, now);
        let due = owed.iter().rev().find(|owed| owed.kind == DeadlineKind::Visit && owed.ended.is_none());
        let Accepting { refusals, accepted_at, .. } = *accepting;
        let state = match (accepted_at, matter.state) {
            (Some(_), _) => "accepted",
            (None, MatterState::Resolved) => "inspected",
            (None, _) if refusals > 0 => "refused",
            (None, _) => "open",
        };
        Some(Self {
            state,
            matter: matter.id,
            handed_over_at: matter.opened_at.to_rfc3339(),
            due_at: due.map(|due| due.due_at.to_rfc3339()),
            refusals,
            accepted_at: accepted_at.map(UnixMs::to_rfc3339),
            accepted_by: accepted_at.and_then(|_| accepting.signer(Side::Ours)).map(str::to_owned),
        })
    }
}
