//! The desk on both databases: what agents send and people say, and what it makes of it.

mod cost;
mod intake;
mod million;
mod order;
mod people;
mod planned;
mod reads;
mod reshape;
mod upstream;

use std::sync::Arc;

use linewatch_shared::detector::{Evidence, LineState};
use linewatch_shared::facts::{
    Body, Channel, ClockFact, Lane, LineChange, Reading, Record, Report, Step, StepKind, When,
};
use linewatch_shared::time::{MINUTE_MS, MonoMs, UnixMs};
use linewatch_shared::wire::{Chain, Envelope, PROTOCOL, record_hash};
use uuid::Uuid;

use super::detail::FaultDetail;
use super::ingest::{Part, Taken, take};
use super::report::{NewReport, Reported, TakenIn};
use super::step::NewStep;
use super::{Channels, Desk, DeskError, detail, engine, report, step};
use crate::app::packs::{self, PackSet};
use crate::app::{agents, import};
use crate::db::{Db, Priority};

/// 2026-03-02T02:00:00Z, ten o'clock in the pack's time zone.
pub const TEN: UnixMs = UnixMs(1_772_416_800_000);
const CUSTOMERS: &str = "code,name,tier,manager,manager_email\nbank,Sample Bank,AAA,Manager A,a@example.com\n\
     mill,Sample Mill,standard,,\n";
const LINES: &str = "code,customer,site,agent,probe,interval\nL1,bank,HQ,site-1,icmp://10.1.2.3,1s\n\
     L2,bank,Branch,site-1,icmp://10.1.2.4,1s\nL3,mill,Mill,site-2,icmp://10.1.2.5,1s\n";

/// A minute of that day.
pub fn minute(n: i64) -> UnixMs {
    TEN + n * MINUTE_MS
}

/// A desk over a database with two customers and three lines.
pub struct Fixture {
    pub db: Db,
    pub desk: Desk,
    pub agent: Uuid,
}

impl Fixture {
    pub async fn new(db: Db) -> Self {
        let packs = Arc::new(PackSet::load(None).unwrap());
        let long_ago = TEN - 365 * 24 * 60 * MINUTE_MS;
        packs::store(&db, &packs, long_ago.0).await.unwrap();
        let agent = db.write(Priority::Api, move |tx| agents::ensure(tx, "site-1", long_ago)).await.unwrap();
        for file in [CUSTOMERS, LINES] {
            import::bytes(&db, &packs, file.as_bytes(), false, long_ago).await.unwrap();
        }
        let channels = Channels { email: true, ..Channels::default() };
        let desk = Desk {
            packs: Arc::default(),
            channels,
            link_base: "http://desk".to_owned(),
            noc_email: "noc@example.com".to_owned(),
            supervisors: vec!["head@example.com".to_owned()],
            summary_day: 28,
        };
        Self { db, desk, agent }
    }

    /// Pushes records as the lane's batch from `first` on.
    pub async fn push_from(&self, first: u64, chain: Chain, records: &[Vec<u8>], now: UnixMs) -> Taken {
        let envelope = Envelope {
            protocol: PROTOCOL,
            epoch: 1,
            lane: Lane::Fault,
            first,
            chain,
            count: records.len() as u32,
        };
        let (desk, agent, bodies) = (self.desk.clone(), self.agent, records.to_vec());
        let work = move |tx: &mut crate::db::Tx<'_>| {
            take(&desk, tx, &Part { agent, envelope: &envelope, bodies: &bodies, skip: 0 }, now)
        };
        self.db.write(Priority::Ingest, work).await.unwrap()
    }

    /// Pushes a lane's first records.
    pub async fn push(&self, records: &[Vec<u8>], now: UnixMs) -> Taken {
        self.push_from(1, Chain::START, records, now).await
    }

    pub async fn report(&self, line: &str, at: UnixMs, now: UnixMs) -> Result<Reported, DeskError> {
        let (desk, new) = (self.desk.clone(), new_report(line, at));
        match self.db.write(Priority::Api, move |tx| report::report(&desk, tx, &new, now)).await? {
            TakenIn::Fault(reported) => Ok(reported),
            TakenIn::Planned(work) => panic!("within planned work: {work:?}"),
        }
    }

    pub async fn step(
        &self,
        fault: Uuid,
        kind: StepKind,
        at: UnixMs,
        now: UnixMs,
    ) -> Result<Uuid, DeskError> {
        let step = Step { fault, kind, note: None };
        let new = NewStep { id: Uuid::now_v7(), step, occurred_at: at, by: "noc".to_owned() };
        let desk = self.desk.clone();
        self.db.write(Priority::Api, move |tx| step::step(&desk, tx, &new, now)).await
    }

    pub async fn engine(&self, now: UnixMs) -> engine::Round {
        let desk = self.desk.clone();
        self.db.write(Priority::Engine, move |tx| engine::round(&desk, tx, now)).await.unwrap()
    }

    pub async fn fault(&self, id: Uuid, now: UnixMs) -> FaultDetail {
        let desk = self.desk.clone();
        self.db.read(move |tx| detail::read(&desk, tx, id, now)).await.unwrap()
    }

    pub async fn line_state(&self, line: &'static str, now: UnixMs) -> String {
        let (desk, span) = (self.desk.clone(), super::line_view::Span::default());
        self.db.read(move |tx| super::line_view::read(&desk, tx, line, span, now)).await.unwrap().state
    }

    /// Everything that is a function of the facts, as text.
    pub async fn figures(&self) -> String {
        let sql = [
            "SELECT id, line, customer, tier, state, started_at_ms, joins_until_ms FROM fault WHERE state <> 'withdrawn' ORDER BY id",
            "SELECT alias, fault, line FROM fault_alias WHERE fault IN (SELECT id FROM fault WHERE state <> 'withdrawn') ORDER BY alias",
            "SELECT fault, line, year, counted, open, pieces FROM contribution ORDER BY fault, year",
            "SELECT subject, kind, period, started_at_ms, due_at_ms, state, met_at_ms FROM deadline ORDER BY subject, kind, period",
            "SELECT line, state FROM line_state ORDER BY line",
            "SELECT id, occurred_at_ms, corrected_ms, uncertain FROM fact ORDER BY id",
        ];
        self.db
            .read(move |tx| {
                let rows: Result<Vec<String>, crate::db::DbError> =
                    sql.iter().map(|sql| Ok(format!("{:#?}", tx.query(sql, &[])?))).collect();
                rows
            })
            .await
            .unwrap()
            .join("\n")
    }

    pub async fn texts(&self, sql: &'static str) -> Vec<String> {
        let read = move |tx: &mut crate::db::Tx<'_>| {
            tx.query(sql, &[])?
                .iter()
                .map(|row| row.get(0))
                .collect::<Result<Vec<String>, crate::db::DbError>>()
        };
        self.db.read(read).await.unwrap()
    }
}

pub fn new_report(line: &str, at: UnixMs) -> NewReport {
    let report = Report {
        line: line.to_owned(),
        channel: Channel::Hotline,
        reporter: "caller".to_owned(),
        description: "no connection".to_owned(),
    };
    NewReport { id: Uuid::now_v7(), report, reported_at: at, by: "noc".to_owned() }
}

/// A device whose wall clock is off by `skew_ms` and whose monotonic clock began at [`TEN`].
#[derive(Clone, Copy)]
pub struct Device {
    pub boot: Uuid,
    pub skew_ms: i64,
}

impl Device {
    pub fn right() -> Self {
        Self { boot: Uuid::from_u128(7), skew_ms: 0 }
    }

    pub fn reading(&self, at: UnixMs) -> Reading {
        Reading { wall: at + self.skew_ms, mono: MonoMs(at.since(TEN)) }
    }

    pub fn record(&self, id: u128, at: UnixMs, body: Body) -> Vec<u8> {
        let reading = self.reading(at);
        let (id, occurred) = (Uuid::from_u128(id), When::Machine(reading));
        Record { id, boot: self.boot, written: reading, occurred, by: None, body }.to_bytes().unwrap()
    }

    pub fn line(&self, id: u128, line: &str, at: UnixMs, state: LineState) -> Vec<u8> {
        let change = LineChange { line: line.to_owned(), state, evidence: Evidence::default() };
        self.record(id, at, Body::Line(change))
    }

    /// The line answers, and worse than promised.
    pub fn degraded(&self, id: u128, line: &str, at: UnixMs) -> Vec<u8> {
        let evidence = Evidence { degraded: true, ..Evidence::default() };
        self.record(id, at, Body::Line(LineChange { line: line.to_owned(), state: LineState::Up, evidence }))
    }

    pub fn clock(&self, id: u128, at: UnixMs) -> Vec<u8> {
        let fact = ClockFact { device: self.reading(at), server: at, round_trip_ms: 3 };
        self.record(id, at, Body::Clock(fact))
    }

    pub fn step(&self, id: u128, fault: u128, at: UnixMs, kind: StepKind) -> Vec<u8> {
        self.record(id, at, Body::Step(Step { fault: Uuid::from_u128(fault), kind, note: None }))
    }
}

/// The chain after records.
pub fn chain_after(records: &[Vec<u8>]) -> Chain {
    records.iter().fold(Chain::START, |chain, bytes| chain.after(record_hash(bytes)))
}
