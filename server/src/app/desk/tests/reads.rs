//! What the board and a block of minutes cost, counted: neither grows with what is over, or with what else is stored.

use linewatch_shared::minute::{LineMinute, MinuteBlock, RttSummary};

use super::*;
use crate::app::desk::board::{EngineView, snapshot};
use crate::db::{DbError, Tx, Work, testing};
use crate::store::scope::Scope;

/// A block of minutes takes no more statements than this, however many lines it is of.
const STATEMENTS_PER_BLOCK_MAX: u64 = 12;

/// Faults of other lines that are over, what they add to those lines' figures, what was promised, and what earlier years have
/// added to the figures of a line that is out again. Nobody can read what they hold: whoever tries fails.
const OVER: [&str; 4] = [
    "INSERT INTO fault (id, line, customer, tier, state, live, started_at_ms, first_at_ms, joins_until_ms, next_wake_ms, \
     updated_at_ms, body, ended_at_ms) SELECT CAST('f' || i AS BLOB), 'O' || (i % 1000), 'bank', 'AAA', 'closed', 0, $2 - i, \
     $2 - i, $2 - i, NULL, $2, x'c1', $2 FROM n",
    "INSERT INTO contribution (fault, line, year, counted, open, started_at_ms, pieces) SELECT CAST('f' || i AS BLOB), \
     'O' || (i % 1000), 2026, 1, 0, $2 - i, x'c1' FROM n",
    "INSERT INTO contribution (fault, line, year, counted, open, started_at_ms, pieces) SELECT CAST('g' || i AS BLOB), 'L1', 2020 + \
     i % 5, 1, 0, $2 - i, x'c1' FROM n",
    "INSERT INTO deadline (subject, kind, period, line, customer, tier, started_at_ms, due_at_ms, state, met_at_ms, \
     subject_kind) SELECT CAST('f' || i AS BLOB), 'restoration', 'first', 'O' || (i % 1000), 'bank', 'AAA', $2 - i, $2, 'met', \
     $2 - i, 'fault' FROM n",
];

async fn desk_beside(over: i64) -> Fixture {
    let database = testing::sqlite();
    let f = Fixture::new(Db::open(&database.url, 0).await.unwrap()).await;
    let fill = move |tx: &mut Tx<'_>| {
        for insert in OVER {
            let sql = format!(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) {insert}"
            );
            tx.execute(&sql, &[over.into(), TEN.into()])?;
        }
        Ok::<_, DbError>(())
    };
    f.db.write(Priority::Api, fill).await.unwrap();
    f
}

/// What a snapshot asks of the database where two faults are open, beside so many that are over.
async fn snapshot_beside(over: i64) -> Work {
    let f = desk_beside(over).await;
    for line in ["L1", "L3"] {
        f.report(line, TEN, TEN).await.unwrap();
    }
    let desk = f.desk.clone();
    let read = move |tx: &mut Tx<'_>| {
        let engine = EngineView { alive: true, lag_ms: 0 };
        let board = snapshot(&desk, tx, engine, &Scope::Everything, minute(5))?;
        Ok::<_, DbError>((board.faults.len(), tx.work()))
    };
    let (shown, work) = f.db.read(read).await.unwrap();
    assert_eq!(shown, 2);
    work
}

#[tokio::test(flavor = "multi_thread")]
async fn the_board_costs_what_is_open_however_much_is_over() {
    let (few, many) = (snapshot_beside(10).await, snapshot_beside(20_000).await);
    let rows = |work: Work| (work.statements, work.rows_read);
    assert_eq!(rows(many), rows(few));
    assert!(many.steps <= few.steps + few.steps / 10, "{} steps where it were {}", many.steps, few.steps);
}

/// What taking in a minute of so many lines asks of the database.
async fn block_of(f: &Fixture, number: u64, lines: u32) -> Work {
    let of_line = |n| LineMinute {
        line: format!("L{n}"),
        sent: 60,
        lost: 0,
        late: 0,
        not_sent: 0,
        longest_run: 0,
        rtt: Some(RttSummary { min_us: 2_000, avg_us: 2_300, max_us: 4_000, jitter_us: 250 }),
    };
    let at = minute(number as i64);
    let block = MinuteBlock::new(at, (1..=lines).map(of_line).collect()).unwrap();
    let body = Device::right().record(u128::from(number), at, Body::Minute(block.encode()));
    let envelope = Envelope {
        protocol: PROTOCOL,
        epoch: 1,
        lane: Lane::Summary,
        first: number,
        chain: Chain::START,
        count: 1,
    };
    let (desk, agent) = (f.desk.clone(), f.agent);
    let work = move |tx: &mut Tx<'_>| {
        let bodies = [body.clone()];
        let taken =
            take(&desk, tx, &Part { agent, envelope: &envelope, bodies: &bodies, skip: 0 }, minute(600))?;
        assert!(matches!(taken, Taken::Upto(_, 0)), "{taken:?}");
        Ok::<_, DbError>(tx.work())
    };
    f.db.write(Priority::Ingest, work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_of_minutes_takes_a_few_statements_whatever_is_stored() {
    let f = desk_beside(1).await;
    let (mut first, mut last) = (None, None);
    for number in 1..=300 {
        let work = block_of(&f, number, 2).await;
        first = first.or((number == 10).then_some(work));
        last = Some(work);
    }
    let (first, last) = (first.unwrap(), last.unwrap());
    assert!(first.statements <= STATEMENTS_PER_BLOCK_MAX, "{first:?}");
    assert_eq!(
        (last.statements, last.rows_read, last.rows_written),
        (first.statements, first.rows_read, first.rows_written)
    );
    assert!(
        last.steps <= first.steps + first.steps / 4,
        "{} steps where it were {}",
        last.steps,
        first.steps
    );
}
