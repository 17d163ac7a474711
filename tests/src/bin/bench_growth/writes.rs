//! What is written, by the server's own use cases, each undone again: what the commit waits for is the disk's.

use anyhow::Result;
use linewatch_agent::clock::{BootClock, NanoClock};
use linewatch_server::app::desk::engine;
use linewatch_server::db::{DbError, Priority, Tx, Work};
use linewatch_shared::facts::{Body, Lane, Reading, Record, StepKind, When};
use linewatch_shared::minute::{LineMinute, MinuteBlock, RttSummary};
use linewatch_shared::time::{HOUR_MS, MINUTE_MS, MonoMs, UnixMs};
use linewatch_tests::harness::now;
use linewatch_tests::large::{LargeDesk, line};
use linewatch_tests::load::quantile;
use uuid::Uuid;

use super::{LINEAR, Point};

/// How often each.
const ROUNDS: usize = 20;

/// Everything that is written.
pub(super) async fn measure(desk: &mut LargeDesk, open: &[(usize, Uuid)]) -> Result<Vec<Point>> {
    let now = now();
    let mut seen = Measured::default();
    for (line, fault) in open.iter().skip(1).step_by(3).take(ROUNDS) {
        let step = desk.step(*fault, now + -1_000, StepKind::Dispatched);
        seen.add(desk.try_take(Lane::Fault, *line, vec![step], now).await?);
    }
    let folded = seen.point("a fact of an open fault, folded");
    let mut seen = Measured::default();
    for (n, _) in open.iter().take(ROUNDS) {
        let report = desk.report(n + 1, now + -1_000);
        seen.add(desk.try_take(Lane::Fault, n + 1, vec![report], now).await?);
    }
    let reported = seen.point("the report of a new fault");
    let mut seen = Measured::default();
    for n in 0..ROUNDS {
        let block = minutes(n * 10, UnixMs(now.0 / MINUTE_MS * MINUTE_MS - MINUTE_MS))?;
        seen.add(desk.try_take(Lane::Summary, n * 10, vec![block], now).await?);
    }
    let minutes = seen.point("a block of minutes taken in");
    let mut seen = Measured::default();
    for _ in 0..ROUNDS {
        // By then hundreds are due; a round takes as many as fit.
        seen.add(round(desk, now + 24 * HOUR_MS).await?);
    }
    Ok(vec![folded, reported, minutes, seen.point("200 deadlines due, judged")])
}

/// Times and counts of one path.
#[derive(Default)]
struct Measured {
    times_us: Vec<i64>,
    works: Vec<Work>,
}

impl Measured {
    fn add(&mut self, (took_us, work): (i64, Work)) {
        self.times_us.push(took_us);
        self.works.push(work);
    }

    fn point(mut self, path: &str) -> Point {
        let ms = quantile(&mut self.times_us, 0.5) as f64 / 1_000.0;
        self.works.sort_by_key(|work| work.steps);
        let counted = self.works.get(self.works.len() / 2).map(|work| {
            format!("{} statements, {} rows read, {} steps", work.statements, work.rows_read, work.steps)
        });
        Point { path: path.to_owned(), goal: LINEAR, ms, counted }
    }
}

/// A minute of the lines of one agent.
fn minutes(first: usize, at: UnixMs) -> Result<Record> {
    let of_line = |n: usize| {
        let rtt = Some(RttSummary { min_us: 2_000, avg_us: 2_300, max_us: 4_000, jitter_us: 250 });
        LineMinute { line: line(n), sent: 60, lost: 0, late: 0, not_sent: 0, longest_run: 0, rtt }
    };
    let block = MinuteBlock::new(at, (first..first + 10).map(of_line).collect())?;
    let reading = Reading { wall: at, mono: MonoMs(0) };
    let id = Uuid::from_u64_pair(at.0.unsigned_abs() << 16 | 0x7000, first as u64);
    let body = Body::Minute(block.encode());
    Ok(Record {
        id,
        boot: Uuid::from_u128(1),
        written: reading,
        occurred: When::Machine(reading),
        by: None,
        body,
    })
}

/// A round of the engine, undone.
async fn round(desk: &LargeDesk, now: UnixMs) -> Result<(i64, Work)> {
    let judges = desk.desk().clone();
    desk.tried(Priority::Engine, move |tx: &mut Tx<'_>| {
        let began_ns = BootClock.mono_ns();
        engine::round(&judges, tx, now)?;
        Ok::<_, DbError>(((BootClock.mono_ns() - began_ns) / 1_000, tx.work()))
    })
    .await
}
