//! A desk that lives through a year: the server's own use cases on SQLite, without processes and sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, ensure};
use linewatch_server::app::desk::ingest::{Part, Taken, take};
use linewatch_server::app::desk::step::NewStep;
use linewatch_server::app::desk::{Channels, Desk, engine};
use linewatch_server::app::packs::{self, PackSet};
use linewatch_server::app::quality::SampleRules;
use linewatch_server::app::report::group::Group;
use linewatch_server::app::report::period::{Period, PeriodKind};
use linewatch_server::app::report::{Published, publish};
use linewatch_server::app::{AppError, agents, import};
use linewatch_server::db::{Db, DbError, DbUrl, Priority, Tx};
use linewatch_server::report::words::Lang;
use linewatch_server::report::{Form, render};
use linewatch_server::store::report::begun;
use linewatch_shared::facts::Lane;
use linewatch_shared::sla::State;
use linewatch_shared::time::{DAY_MS, UnixMs};
use linewatch_shared::wire::{Chain, Envelope, PROTOCOL, record_hash};
use uuid::Uuid;

use super::life::{Life, YEAR};
use super::order::Arrival;

/// How long before the life its lines are known.
const KNOWN_BEFORE_MS: i64 = 200 * DAY_MS;

/// A desk with its database.
pub struct YearDesk {
    db: Db,
    desk: Desk,
    packs: Arc<PackSet>,
    agents: Vec<Uuid>,
    /// What each agent's fault lane holds: how many records, and the chain after them.
    lanes: BTreeMap<usize, (u64, Chain)>,
    /// What a supervisor decides of faults that the desk does not know, or not well enough, so far.
    pub(super) undecided: Vec<NewStep>,
    /// Every decision of a supervisor's, taken or not.
    pub(super) decisions: BTreeSet<Uuid>,
}

impl YearDesk {
    /// Opens a desk in a folder, for a life's customers and lines.
    ///
    /// # Errors
    /// When the database or the import fails.
    pub async fn open(folder: &Path, life: &Life) -> Result<Self> {
        let known_at = life.begins - KNOWN_BEFORE_MS;
        let db = Db::open(&DbUrl::Sqlite(folder.join("year.db")), known_at.0).await?;
        let packs = PackSet::load(None).map_err(AppError::Mistakes)?;
        let packs = Arc::new(packs);
        packs::store(&db, &packs, known_at.0).await?;
        let names: Vec<String> = (0..life.agents()).map(|n| format!("agent-{n}")).collect();
        let known = move |tx: &mut Tx<'_>| {
            names.iter().map(|name| agents::ensure(tx, name, known_at)).collect::<Result<Vec<_>, AppError>>()
        };
        let agents = db.write(Priority::Api, known).await?;
        let channels = Channels { email: true, ..Channels::default() };
        let desk = Desk { channels, link_base: "http://desk.example".to_owned(), ..Desk::default() };
        let year = Self {
            db,
            desk,
            packs,
            agents,
            lanes: BTreeMap::new(),
            undecided: Vec::new(),
            decisions: BTreeSet::new(),
        };
        year.import(&life.customers(false), known_at).await?;
        year.import(&life.lines(), known_at).await?;
        Ok(year)
    }

    /// Its database.
    #[must_use]
    pub const fn db(&self) -> &Db {
        &self.db
    }

    /// The desk's own settings.
    pub(super) const fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Imports customers or lines.
    ///
    /// # Errors
    /// When the import is refused.
    pub async fn import(&self, csv: &str, now: UnixMs) -> Result<()> {
        let imported = import::bytes(&self.db, &self.packs, csv.as_bytes(), false, now).await;
        imported.map(|_| ()).map_err(|e| anyhow::anyhow!("{e:?}"))
    }

    /// Takes in what arrives.
    ///
    /// # Errors
    /// When the desk does not take all of it.
    pub async fn take(&mut self, arrival: &Arrival) -> Result<()> {
        let (held, chain) = self.lanes.get(&arrival.agent).copied().unwrap_or((0, Chain::START));
        let count = u32::try_from(arrival.bodies.len())?;
        let envelope =
            Envelope { protocol: PROTOCOL, epoch: 1, lane: Lane::Fault, first: held + 1, chain, count };
        let (desk, agent, bodies, now) =
            (self.desk.clone(), self.agents[arrival.agent], arrival.bodies.clone(), arrival.at);
        let work = move |tx: &mut Tx<'_>| {
            take(&desk, tx, &Part { agent, envelope: &envelope, bodies: &bodies, skip: 0 }, now)
        };
        let taken: Result<Taken, DbError> = self.db.write(Priority::Ingest, work).await;
        let Taken::Upto(_, set_aside) = taken? else { anyhow::bail!("a fork of agent {}", arrival.agent) };
        ensure!(set_aside == 0, "{set_aside} records of agent {} were put aside", arrival.agent);
        let chain = arrival.bodies.iter().fold(chain, |chain, body| chain.after(record_hash(body)));
        self.lanes.insert(arrival.agent, (held + u64::from(count), chain));
        self.decide(arrival.at).await
    }

    /// Lets the engine do what is due.
    ///
    /// # Errors
    /// The database's.
    pub async fn tick(&self, now: UnixMs) -> Result<()> {
        loop {
            let desk = self.desk.clone();
            let round = self.db.write(Priority::Engine, move |tx| engine::round(&desk, tx, now)).await;
            let round: engine::Round = round.map_err(|e: DbError| e)?;
            if (round.due as i64) < engine::FAULTS_PER_ROUND_MAX {
                return self.tick_desk(now).await;
            }
        }
    }

    /// Every fault that was found, as text, by its start; those that facts took away left out. A decision that does not
    /// fit is refused at once where the desk knows enough, and kept as what does not fit where it learns that later: it
    /// changes nothing either way, and is left out.
    ///
    /// # Errors
    /// The database's.
    pub async fn faults(&self) -> Result<Vec<String>> {
        let read = |tx: &mut Tx<'_>| {
            let mut faults = Vec::new();
            let (from, to) = (UnixMs(i64::MIN), UnixMs::MAX);
            let mut after = (from, Uuid::nil());
            loop {
                let page = begun(tx, (from, to), after, None, 500)?;
                let Some(last) = page.last() else { break };
                after = (last.fault.started_at, last.fault.id);
                faults.extend(page.into_iter().map(|reported| reported.fault));
            }
            Ok::<_, DbError>(faults)
        };
        let mut faults = self.db.read(read).await?;
        for fault in &mut faults {
            fault.facts.retain(|placed| placed.misfit.is_none() || !self.decisions.contains(&placed.id));
        }
        Ok(faults
            .iter()
            .filter(|fault| fault.state != State::Withdrawn)
            .map(|fault| format!("{fault:#?}"))
            .collect())
    }

    /// Every report of the year, by name: as JSON by every grouping, and for the year in the other forms too.
    ///
    /// # Errors
    /// When a report cannot be made.
    pub async fn reports(&self, now: UnixMs) -> Result<BTreeMap<String, Vec<u8>>> {
        let months = (1..=12).map(|month| Period::Month(YEAR, month));
        let quarters = (1..=4).map(|quarter| Period::Quarter(YEAR, quarter));
        let mut reports = BTreeMap::new();
        for period in months.chain(quarters).chain([Period::Year(YEAR)]) {
            let published = self.report(period, now).await?;
            ensure!(published.report.complete, "{period} is not over");
            for group in Group::ALL {
                let bytes = render(&published, group, Form::Json, Lang::Zh)?;
                reports.insert(format!("{period}/{}.json", group.name()), bytes);
            }
            if period.kind() == PeriodKind::Year {
                for form in [Form::Csv, Form::Xlsx, Form::Pdf] {
                    let bytes = render(&published, Group::Customer, form, Lang::Zh)?;
                    reports.insert(format!("{period}.{}", form.name()), bytes);
                }
            }
        }
        Ok(reports)
    }

    /// Takes one report, as a person would.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn report(&self, period: Period, now: UnixMs) -> Result<Published> {
        let rules =
            SampleRules { share_percent: 10, at_least: 5, good_from: 80, zone: chrono_tz::Asia::Shanghai };
        Ok(publish(&self.db, &self.desk.packs, (period, rules), "year", "json", now).await?)
    }

    /// How many faults there are, for people.
    ///
    /// # Errors
    /// The database's.
    pub async fn counts(&self) -> Result<String> {
        let faults = self.faults().await?;
        let live = faults.iter().filter(|fault| fault.contains("closed_at: None")).count();
        Ok(format!("{} faults, {live} of them not closed", faults.len()))
    }
}
