//! The desk does what it does in the year: its own use cases, one transaction each.

use std::collections::BTreeSet;

use anyhow::{Context, Result, anyhow};
use linewatch_server::app::desk::step::{NewStep, step as fault_step};
use linewatch_server::app::desk::{Desk, DeskError, planned};
use linewatch_server::app::matters::step::{self, NewMatterStep};
use linewatch_server::app::matters::{duties, open, round};
use linewatch_server::db::{DbError, Priority, Tx};
use linewatch_server::store::faults;
use linewatch_server::store::matters::{self, WantedMatters};
use linewatch_shared::matter::{Matter, MatterStep, Papers, Point};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::deeds::{Act, Deed, On, What};
use super::desk::YearDesk;
use super::life::Life;

/// The most open matters of a customer that are looked through.
const OPEN_MAX: i64 = 500;

impl YearDesk {
    /// Types a deed in; rounds that have come due by then were begun before.
    ///
    /// # Errors
    /// When the desk refuses it.
    pub async fn act(&mut self, life: &Life, deed: &Deed, now: UnixMs) -> Result<()> {
        self.begin_rounds(now).await?;
        if let What::Decide(new) = &deed.what {
            self.decisions.insert(new.id);
            self.undecided.push(NewStep::clone(new));
            return self.decide(now).await;
        }
        if matches!(deed.what, What::Upgrade) {
            return self.import(&life.customers(true), now).await;
        }
        let (desk, done) = (self.desk().clone(), deed.clone());
        let work = move |tx: &mut Tx<'_>| act(&desk, tx, &done, now);
        let done: Result<(), DeskError> = self.db().write(Priority::Api, work).await;
        done.map_err(|error| anyhow!("{error}")).with_context(|| format!("{deed:?}"))
    }

    /// A supervisor decides what is to be decided of faults, as soon as the desk knows them that far.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn decide(&mut self, now: UnixMs) -> Result<()> {
        let wanted: Vec<Uuid> = self.undecided.iter().map(|new| new.step.fault).collect();
        let look = move |tx: &mut Tx<'_>| {
            wanted
                .iter()
                .map(|fault| Ok(faults::resolve(tx, *fault)?.is_some()))
                .collect::<Result<Vec<_>, DbError>>()
        };
        let known = self.db().read(look).await?;
        for (new, known) in std::mem::take(&mut self.undecided).into_iter().zip(known) {
            if !known {
                self.undecided.push(new);
                continue;
            }
            let (desk, decided) = (self.desk().clone(), new.clone());
            let work = move |tx: &mut Tx<'_>| fault_step(&desk, tx, &decided, now).map(drop);
            match self.db().write(Priority::Api, work).await {
                Ok(()) => {}
                Err(DeskError::NoFault(_) | DeskError::Impossible { .. }) => self.undecided.push(new),
                Err(error) => return Err(anyhow!("{error}")).with_context(|| format!("{new:?}")),
            }
        }
        Ok(())
    }

    /// Begins the rounds whose time has come.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin_rounds(&self, now: UnixMs) -> Result<()> {
        loop {
            let desk = self.desk().clone();
            let begin = move |tx: &mut Tx<'_>| duties::begin_rounds(&desk, tx, now);
            if self.db().write(Priority::Ingest, begin).await? == 0 {
                return Ok(());
            }
        }
    }

    /// Judges the matters that are due, and the lines of work that has ended.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn tick_desk(&self, now: UnixMs) -> Result<()> {
        self.begin_rounds(now).await?;
        loop {
            let desk = self.desk().clone();
            let judge = move |tx: &mut Tx<'_>| {
                Ok::<_, DbError>((round::round(&desk, tx, now)?.due, planned::round(&desk, tx, now)?))
            };
            let (due, looked) = self.db().write(Priority::Engine, judge).await?;
            if (due as i64) < round::MATTERS_PER_ROUND_MAX && looked == 0 {
                return Ok(());
            }
        }
    }

    /// Every complaint, request, round, defect and promise as text, the last opened first.
    ///
    /// # Errors
    /// The database's.
    pub async fn matters(&self) -> Result<Vec<String>> {
        let read = |tx: &mut Tx<'_>| {
            let (mut all, mut wanted) = (Vec::new(), WantedMatters::default());
            loop {
                let page = matters::list(tx, &wanted, OPEN_MAX)?;
                let Some(last) = page.last() else { break };
                wanted.before = Some((last.matter.opened_at, last.matter.id));
                all.extend(page.into_iter().map(|standing| standing.matter));
            }
            Ok::<_, DbError>(all)
        };
        Ok(self.db().read(read).await?.iter().map(|matter| format!("{matter:#?}")).collect())
    }
}

fn act(desk: &Desk, tx: &mut Tx<'_>, deed: &Deed, now: UnixMs) -> Result<(), DeskError> {
    match &deed.what {
        What::Upgrade | What::Decide(_) => {}
        What::Open(new) => drop(open::open(desk, tx, new, now)?),
        What::Step(new) => drop(step::step(desk, tx, new, now)?),
        What::Plan(new) => drop(planned::plan(desk, tx, new, now)?),
        What::Announce(work) => drop(planned::announce(desk, tx, *work, deed.at, "noc", now)?),
        What::CallOff(work) => drop(planned::cancel(desk, tx, *work, "noc", now)?),
        What::Give(new) => drop(duties::give(desk, tx, new, now)?),
        What::On(on) => on_one(desk, tx, on, deed.at, now)?,
    }
    Ok(())
}

/// Does it to the matter that it fits, where there is one.
fn on_one(desk: &Desk, tx: &mut Tx<'_>, on: &On, at: UnixMs, now: UnixMs) -> Result<(), DeskError> {
    let name = match &on.act {
        Act::Step(step) => step.name(),
        Act::Made { .. } => "made",
    };
    let wanted = WantedMatters {
        kind: on.kind.name().to_owned(),
        state: "live".to_owned(),
        customer: on.customer.clone(),
        ..WantedMatters::default()
    };
    let live = matters::list(tx, &wanted, OPEN_MAX)?.into_iter().map(|standing| standing.matter);
    let mut fitting: Vec<Matter> =
        live.filter(|matter| matter.opened_at <= at && matter.possible(at).contains(&name)).collect();
    let Some(matter) =
        (if on.newest { (!fitting.is_empty()).then(|| fitting.remove(0)) } else { fitting.pop() })
    else {
        return Ok(());
    };
    let mut promises = Vec::new();
    let done = match &on.act {
        Act::Step(step) => step.clone(),
        Act::Made { wrong, promised } => {
            promises.extend(promised.map(|until| ("sample promise".to_owned(), until)));
            made(desk, tx, &matter, *wrong)?
        }
    };
    let by = "noc".to_owned();
    let new = NewMatterStep { id: on.id, matter: matter.id, step: done, promises, occurred_at: at, by };
    step::step(desk, tx, &new, now).map(drop)
}

/// The report of a round, as its pack wants it.
fn made(desk: &Desk, tx: &mut Tx<'_>, matter: &Matter, wrong: usize) -> Result<MatterStep, DeskError> {
    let versions = desk.packs.versions(tx)?;
    let of_matter = |(name, version): &(String, String)| {
        versions.iter().find(|known| known.pack.name == *name && known.pack.version == *version)
    };
    let pack = of_matter(&matter.pack).map(|known| &known.pack).ok_or(DeskError::NoMatter(matter.id))?;
    let cadence = pack.cadences.iter().find(|cadence| cadence.name == matter.class);
    let cadence = cadence.ok_or(DeskError::NoMatter(matter.id))?;
    let names: BTreeSet<&String> = pack
        .checklists
        .iter()
        .filter(|list| Some(&list.name) == cadence.checklist.as_ref())
        .flat_map(|list| list.items.iter().map(|(name, _)| name))
        .collect();
    let point = |(n, name): (usize, &&String)| Point {
        name: (*name).clone(),
        ok: n >= wrong,
        reading: None,
        note: String::new(),
        class: None,
        equipment: None,
    };
    Ok(MatterStep::Made {
        mode: cadence.modes.first().cloned().unwrap_or_default(),
        met: "sample caretaker".to_owned(),
        points: names.iter().enumerate().map(point).collect(),
        papers: Papers::default(),
    })
}
