//! The desk itself: the server's own use cases on its database, without a process and sockets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use linewatch_agent::clock::{BootClock, NanoClock};
use linewatch_server::app::desk::ingest::{Part, Taken, take};
use linewatch_server::app::desk::{Desk, allowances};
use linewatch_server::app::packs::{self, PackSet};
use linewatch_server::app::{AppError, agents, import};
use linewatch_server::db::{Db, DbError, DbUrl, Priority, Tx, Work};
use linewatch_shared::facts::{Body, Callback, Channel, Lane, Reading, Record, Report, Step, StepKind, When};
use linewatch_shared::time::{MINUTE_MS, MonoMs, UnixMs};
use linewatch_shared::wire::{Chain, Envelope, Held, PROTOCOL, record_hash};
use uuid::Uuid;

use super::{LINES_OF_AGENT, agent, line};

/// Minutes after the report of a fault at which it is acknowledged, restored, repaired, confirmed.
const LIFE_MINUTES: [i64; 4] = [5, 60, 90, 120];

/// Lanes in which something was sent, by the agent's number: its id, how many the lane holds, and the chain after them.
type Lanes = BTreeMap<(usize, &'static str), (Uuid, u64, Chain)>;

/// A desk with a database of its own.
pub struct LargeDesk {
    path: PathBuf,
    db: Db,
    desk: Desk,
    packs: Arc<PackSet>,
    lanes: Lanes,
    known_at: UnixMs,
    /// Makes ids differ.
    ids: u64,
}

impl LargeDesk {
    /// Opens the database, which is made where there is none; what is new is known since a moment.
    ///
    /// # Errors
    /// When the database cannot be had.
    pub async fn open(path: &Path, known_at: UnixMs) -> Result<Self> {
        let db = Db::open(&DbUrl::Sqlite(path.to_owned()), known_at.0).await?;
        let packs = Arc::new(PackSet::load(None).map_err(AppError::Mistakes)?);
        packs::store(&db, &packs, known_at.0).await?;
        let (path, desk) = (path.to_owned(), Desk::default());
        Ok(Self { path, db, desk, packs, lanes: BTreeMap::new(), known_at, ids: 0 })
    }

    /// Lets go of the database: something else has it for itself then.
    #[must_use]
    pub fn close(self) -> ClosedDesk {
        let Self { path, lanes, known_at, ids, .. } = self;
        ClosedDesk { path, lanes, known_at, ids }
    }

    /// Its database.
    #[must_use]
    pub const fn db(&self) -> &Db {
        &self.db
    }

    /// Its settings.
    #[must_use]
    pub const fn desk(&self) -> &Desk {
        &self.desk
    }

    pub(super) async fn import(&self, csv: &str, now: UnixMs) -> Result<()> {
        let imported = import::bytes(&self.db, &self.packs, csv.as_bytes(), false, now).await;
        imported.map(|_| ()).map_err(|error| anyhow::anyhow!("{error:?}"))
    }

    /// A fault of each of the first lines, over a day, from the caller's report to the customer's word.
    pub(super) async fn live(&mut self, lines: usize, day: UnixMs) -> Result<()> {
        for first in (0..lines).step_by(LINES_OF_AGENT) {
            let mut records = Vec::new();
            for n in first..(first + LINES_OF_AGENT).min(lines) {
                let at = day + (n % 1_000) as i64 * MINUTE_MS;
                records.extend(self.whole_fault(n, at));
            }
            self.take(Lane::Fault, first, records, day + 2_000 * MINUTE_MS).await?;
        }
        Ok(())
    }

    fn whole_fault(&mut self, n: usize, at: UnixMs) -> Vec<Record> {
        let opening = self.report(n, at);
        let kinds = [
            StepKind::Acknowledged,
            StepKind::Restored,
            StepKind::Repaired,
            StepKind::Callback(Callback::Satisfied),
        ];
        let fault = opening.id;
        let steps = LIFE_MINUTES.into_iter().zip(kinds);
        let steps = steps.map(|(minutes, kind)| self.step(fault, at + minutes * MINUTE_MS, kind));
        std::iter::once(opening).chain(steps.collect::<Vec<_>>()).collect()
    }

    /// A caller's report of a line.
    pub fn report(&mut self, n: usize, at: UnixMs) -> Record {
        let report = Report {
            line: line(n),
            channel: Channel::Hotline,
            reporter: "sample caller".to_owned(),
            description: "nothing goes through since this morning".to_owned(),
        };
        self.said(at, Body::Report(report))
    }

    /// A step of a fault.
    pub fn step(&mut self, fault: Uuid, at: UnixMs, kind: StepKind) -> Record {
        self.said(at, Body::Step(Step { fault, kind, note: None }))
    }

    fn said(&mut self, at: UnixMs, body: Body) -> Record {
        self.ids += 1;
        let ms = at.0.unsigned_abs();
        let id = Uuid::from_u64_pair(ms << 16 | 0x7000, self.ids);
        let written = Reading { wall: at, mono: MonoMs(0) };
        let by = Some("sample technician".to_owned());
        Record { id, boot: Uuid::from_u128(1), written, occurred: When::Typed(at), by, body }
    }

    /// Takes in what the agent of a line has written down.
    ///
    /// # Errors
    /// When not all of it is taken.
    pub async fn take(&mut self, lane: Lane, line: usize, records: Vec<Record>, now: UnixMs) -> Result<()> {
        let sent = self.sent(lane, line, &records).await?;
        let (desk, part) = (self.desk.clone(), sent.clone());
        let work = move |tx: &mut Tx<'_>| take(&desk, tx, &part.part(), now);
        let taken: Result<Taken, DbError> = self.db.write(Priority::Ingest, work).await;
        let Taken::Upto(upto, set_aside) = taken? else { bail!("the agent of line {line} is not believed") };
        ensure!(set_aside == 0, "{set_aside} records of line {line} were put aside");
        let all = sent.envelope.first - 1 + u64::from(sent.envelope.count);
        if let Held::Upto { last, .. } = upto {
            ensure!(last == all, "{last} of {all} records of the agent of line {line} were taken");
        }
        let chain =
            sent.bodies.iter().fold(sent.envelope.chain, |chain, body| chain.after(record_hash(body)));
        self.lanes.insert((line / LINES_OF_AGENT, lane.name()), (sent.agent, all, chain));
        Ok(())
    }

    /// Takes it in and undoes it: how long that took without its commit (µs), and what it asked of the database.
    ///
    /// # Errors
    /// When it is not taken.
    pub async fn try_take(
        &mut self,
        lane: Lane,
        line: usize,
        records: Vec<Record>,
        now: UnixMs,
    ) -> Result<(i64, Work)> {
        let sent = self.sent(lane, line, &records).await?;
        let desk = self.desk.clone();
        let taken = self.tried(Priority::Ingest, move |tx| {
            let began_ns = BootClock.mono_ns();
            let taken = take(&desk, tx, &sent.part(), now)?;
            let took_us = (BootClock.mono_ns() - began_ns) / 1_000;
            Ok::<_, DbError>((matches!(taken, Taken::Upto(_, 0)), took_us, tx.work()))
        });
        let (is_taken, took_us, work) = taken.await?;
        ensure!(is_taken, "records of line {line} were not taken");
        Ok((took_us, work))
    }

    /// Does something in a transaction that is undone.
    ///
    /// # Errors
    /// When it fails.
    pub async fn tried<T: Send + 'static>(
        &self,
        priority: Priority,
        mut work: impl FnMut(&mut Tx<'_>) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T> {
        let undone = self.db.write(priority, move |tx| Err::<(), _>(Undone::Done(work(tx)?))).await;
        match undone {
            Err(Undone::Done(value)) => Ok(value),
            Err(Undone::Failed(error)) => Err(error.into()),
            Ok(()) => bail!("it was not undone"),
        }
    }

    /// A batch of the agent of a line, as the next one of its lane.
    async fn sent(&self, lane: Lane, line: usize, records: &[Record]) -> Result<Sent> {
        let number = line / LINES_OF_AGENT;
        let (agent, held, chain) = if let Some(known) = self.lanes.get(&(number, lane.name())) {
            *known
        } else {
            let (name, known_at) = (agent(number), self.known_at);
            let ensure = move |tx: &mut Tx<'_>| agents::ensure(tx, &name, known_at);
            (self.db.write(Priority::Api, ensure).await?, 0, Chain::START)
        };
        let bodies = records.iter().map(Record::to_bytes).collect::<Result<Vec<_>, _>>()?;
        let count = u32::try_from(bodies.len())?;
        let envelope = Envelope { protocol: PROTOCOL, epoch: 1, lane, first: held + 1, chain, count };
        Ok(Sent { agent, envelope, bodies })
    }

    /// Has the server look at what outages leave of the lines' allowances.
    pub(super) async fn look_at_allowances(&self, now: UnixMs) -> Result<()> {
        loop {
            let desk = self.desk.clone();
            let look = move |tx: &mut Tx<'_>| allowances::round(&desk, tx, now);
            let done = self.db.write(Priority::Engine, look).await.context("allowances")?;
            if done.due < usize::try_from(allowances::LINES_PER_ROUND_MAX)? {
                return Ok(());
            }
        }
    }
}

/// What the desk's agents have sent, while the desk is closed.
pub struct ClosedDesk {
    path: PathBuf,
    lanes: Lanes,
    known_at: UnixMs,
    ids: u64,
}

impl ClosedDesk {
    /// Opens the desk again.
    ///
    /// # Errors
    /// The database's.
    pub async fn open(self) -> Result<LargeDesk> {
        let Self { path, lanes, known_at, ids } = self;
        Ok(LargeDesk { lanes, ids, ..LargeDesk::open(&path, known_at).await? })
    }
}

/// A batch.
#[derive(Clone)]
struct Sent {
    agent: Uuid,
    envelope: Envelope,
    bodies: Vec<Vec<u8>>,
}

impl Sent {
    fn part(&self) -> Part<'_> {
        Part { agent: self.agent, envelope: &self.envelope, bodies: &self.bodies, skip: 0 }
    }
}

/// Why a transaction was undone: its work is done, or it failed.
enum Undone<T> {
    Done(T),
    Failed(DbError),
}

impl<T> From<DbError> for Undone<T> {
    fn from(error: DbError) -> Self {
        Self::Failed(error)
    }
}
