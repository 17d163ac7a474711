//! Complaints, requests and defects that technicians take in on site, and steps of matters that they take there. What comes
//! by sync is never refused: a matter is opened with what of it fits, and what does not is said; a step that does not fit
//! stays with its matter and has no effect.

use linewatch_shared::facts::{Deed, Opened};
use linewatch_shared::matter::{MatterEvent, MatterFact, Opening};
use linewatch_shared::rules::{Class, MatterKind};
use linewatch_shared::sla::PackVersion;
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::Changed;
use super::open::{NewMatter, begin};
use super::step::refold;
use crate::app::desk::DeskError;
use crate::app::leaks;
use crate::app::packs::packs_in_force_from;
use crate::db::{DbError, Tx};
use crate::store::conflicts::{self, Conflict};
use crate::store::customers::{self, Owners};
use crate::store::matters::{self, StoredMatterFact};
use crate::store::{lines, visit_reports};

/// The longest title, in characters; the rest of a longer one stands in the record alone.
const TITLE_CHARS_MAX: usize = 200;

/// Something that was written down on site.
#[derive(Clone, Debug)]
pub struct OnSite<T> {
    /// The record.
    pub record: Uuid,
    /// Who sent it.
    pub agent: Uuid,
    /// When it happened, corrected.
    pub at: UnixMs,
    /// Who wrote it: the name as the device knows it, else the agent's.
    pub person: String,
    /// The same, with the agent.
    pub by: String,
    /// What it says.
    pub said: T,
}

impl<T> OnSite<T> {
    fn conflict(&self, kind: &'static str, what: &str, why: String, now: UnixMs) -> Conflict {
        Conflict {
            record: self.record,
            kind,
            what: what.to_owned(),
            agent: self.agent,
            by: self.by.clone(),
            at: self.at,
            recorded_at: now,
            why,
            ..Conflict::default()
        }
    }
}

/// Opens matters, each under its record's id; what changed has still to be told.
///
/// # Errors
/// The database's.
pub(in crate::app) fn open(
    tx: &mut Tx<'_>,
    versions: &[PackVersion],
    taken: &[OnSite<Opened>],
    now: UnixMs,
) -> Result<Vec<Changed>, DbError> {
    let mut changed = Vec::new();
    for one in taken {
        let mut whys = Vec::new();
        let opened = match open_one(tx, versions, one, &mut whys, now) {
            Ok(opened) => opened,
            Err(DeskError::Db(error)) => return Err(error),
            Err(error) => {
                whys.push(error.to_string());
                None
            }
        };
        if !whys.is_empty() {
            let Opened { kind, customer, line, .. } = &one.said;
            let matter = opened.as_ref().map(|opened| opened.matter.id);
            let conflict = one.conflict("opened", kind.name(), whys.join("; "), now);
            let customer = Some(customer.clone());
            conflicts::put(tx, &Conflict { matter, customer, line: line.clone(), ..conflict })?;
        }
        changed.extend(opened);
    }
    Ok(changed)
}

fn open_one(
    tx: &mut Tx<'_>,
    versions: &[PackVersion],
    one: &OnSite<Opened>,
    whys: &mut Vec<String>,
    now: UnixMs,
) -> Result<Option<Changed>, DeskError> {
    let said = &one.said;
    if !matches!(said.kind, MatterKind::Complaint | MatterKind::Request | MatterKind::Defect) {
        whys.push(format!("a {} is not taken in on site", said.kind.name()));
        return Ok(None);
    }
    let Some(owners) = customers::owners(tx, &said.customer)? else {
        whys.push(format!("there is no customer called \"{}\"", said.customer));
        return Ok(None);
    };
    if !visit_reports::is_in_scope(tx, &said.customer, one.agent)? {
        whys.push("none of the customer's lines was ever the agent's that sent it".to_owned());
        return Ok(None);
    }
    let Some((pack, class)) = class_of(versions, said, &owners, one.at, whys) else { return Ok(None) };
    let mut line = said.line.clone();
    if let Some(code) = &line
        && lines::one(tx, code)?.is_none_or(|known| known.customer != said.customer)
    {
        whys.push(format!("customer {} has no line called \"{code}\"", said.customer));
        line = None;
    }
    let owner = owners.manager.filter(|manager| !manager.is_empty()).unwrap_or_else(|| {
        whys.push("the customer has no account manager: who took it in answers for it".to_owned());
        one.person.clone()
    });
    let title = said.title.trim();
    let title = if title.is_empty() { said.kind.name() } else { title };
    let opening = Opening {
        kind: said.kind,
        class,
        customer: said.customer.clone(),
        line,
        site: said.site.clone().filter(|site| !site.is_empty()),
        title: title.chars().take(TITLE_CHARS_MAX).collect(),
        description: said.description.clone(),
        reporter: said.reporter.clone(),
        owner,
        first_receiver: one.person.clone(),
        unit: None,
        wanted_by: None,
        about: None,
        equipment: None,
    };
    let (id, opened_at, by) = (one.record, one.at, one.by.clone());
    let new = NewMatter { id, opening: opening.clone(), pack: None, opened_at, by };
    begin(tx, versions, &pack, &new, opening, now).map(Some)
}

/// The pack and class: the one that is named, where it may be taken in on site; else the first of the kind. The customer's own
/// pack is looked at first, then those that are for it.
fn class_of(
    versions: &[PackVersion],
    said: &Opened,
    owners: &Owners,
    at: UnixMs,
    whys: &mut Vec<String>,
) -> Option<(String, String)> {
    let mut packs = packs_in_force_from(versions, &owners.pack, at);
    // Those for the customer first; a defect that only others know is still one.
    packs.sort_by_key(|pack| !pack.is_for(&said.customer, &owners.pack));
    let may =
        |class: &&Class| class.matter == said.kind && !class.supervisor_only && class.name != leaks::CLASS;
    let find = |name: Option<&str>| {
        packs.iter().find_map(|pack| {
            let mut classes = pack.classes.iter().filter(may);
            let class = classes.find(|class| name.is_none_or(|name| class.name == name))?;
            Some((pack.name.clone(), class.name.clone()))
        })
    };
    let kind = said.kind.name();
    if let Some(name) = &said.class {
        if let Some(found) = find(Some(name)) {
            return Some(found);
        }
        whys.push(format!(
            "\"{name}\" is no class of a {kind} that is taken in on site; the first one took its place"
        ));
    }
    let found = find(None);
    if found.is_none() {
        whys.push(format!("no pack in force has classes of a {kind}"));
    }
    found
}

/// Takes steps of matters; what changed has still to be told.
///
/// # Errors
/// The database's.
pub(in crate::app) fn take_steps(
    tx: &mut Tx<'_>,
    versions: &[PackVersion],
    deeds: &[OnSite<Deed>],
    now: UnixMs,
) -> Result<Vec<Changed>, DbError> {
    let mut keys: Vec<_> = deeds.iter().map(|deed| deed.said.matter).collect();
    keys.sort_unstable();
    keys.dedup();
    let keys: Vec<_> = keys.into_iter().map(matters::lock_key).collect();
    tx.lock(&keys)?;
    let mut changed = Vec::new();
    for deed in deeds {
        let Deed { matter, step } = &deed.said;
        let Some(before) = matters::one(tx, *matter)? else {
            let why = format!("there is no matter {matter}");
            conflicts::put(tx, &deed.conflict("deed", step.name(), why, now))?;
            continue;
        };
        let event = MatterEvent::Step(step.clone());
        let fact = MatterFact { id: deed.record, occurred_at: deed.at, event };
        let stored = StoredMatterFact { fact, matter: *matter, recorded_at: now, by: deed.by.clone() };
        matters::insert_fact(tx, &stored)?;
        let was = before.matter.clone();
        let found = refold(tx, versions, before, now)?;
        let fits = found.matter.misfit(deed.record).is_none();
        // What has no effect is no news.
        changed.push(if fits { found.by(&stored, Some(&was)) } else { found });
    }
    Ok(changed)
}
