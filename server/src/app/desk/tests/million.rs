//! With any number of promises running, a round of the engine costs what is due. Counted, not timed: rows read and
//! written, and the steps of SQLite's machine, which tell of every row that a statement visits.
//!
//! `LINEWATCH_MILLION=1` takes a million of each instead of a hundred thousand.

use linewatch_shared::matter::Opening;
use linewatch_shared::rules::MatterKind;

use super::*;
use crate::app::desk::recount::recount;
use crate::app::matters::open::{NewMatter, open};
use crate::app::matters::round;
use crate::db::{DbError, Tx, Work, testing};

/// Faults, matters and promises that run, with nothing to do for days.
const RUNNING: &[&str] = &[
    "INSERT INTO fault (id, line, customer, tier, state, live, started_at_ms, first_at_ms, joins_until_ms, \
     next_wake_ms, updated_at_ms, body, ended_at_ms) SELECT randomblob(16), 'L' || (i % 10000 + 10), 'bank', 'AAA', \
     'open', 1, $2 - i, $2 - i, 9223372036854775807, $3 + i, $2, x'00', NULL FROM n",
    "INSERT INTO matter (id, kind, class, customer, line, site, owner, pack, version, state, live, opened_at_ms, \
     next_wake_ms, updated_at_ms, body) SELECT randomblob(16), 'request', 'ordinary', 'bank', NULL, NULL, 'Manager A', \
     'service-desk', '1', 'open', 1, $2 - i, $3 + i, $2, x'00' FROM n",
    "INSERT INTO deadline (subject, kind, period, line, customer, tier, started_at_ms, due_at_ms, state, met_at_ms, \
     subject_kind) SELECT randomblob(16), 'restoration', 'first', 'L' || (i % 10000 + 10), 'bank', 'AAA', $2 - i, \
     $3 + i, 'running', NULL, 'fault' FROM n",
];

async fn let_run(f: &Fixture, many: i64) {
    let work = move |tx: &mut Tx<'_>| {
        for insert in RUNNING {
            let sql = format!(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) {insert}"
            );
            tx.execute(&sql, &[many.into(), TEN.into(), minute(5_000).into()])?;
        }
        Ok::<_, DbError>(())
    };
    f.db.write(Priority::Api, work).await.unwrap();
}

fn request(n: u128) -> NewMatter {
    let opening = Opening {
        kind: MatterKind::Request,
        class: "ordinary".to_owned(),
        customer: "bank".to_owned(),
        line: None,
        site: None,
        title: "a second address".to_owned(),
        description: String::new(),
        reporter: "caller".to_owned(),
        owner: String::new(),
        first_receiver: "noc".to_owned(),
        unit: None,
        wanted_by: None,
        about: None,
        equipment: None,
    };
    NewMatter { id: Uuid::from_u128(n), opening, pack: None, opened_at: TEN, by: "noc".to_owned() }
}

/// What a round costs in which two faults and two requests are due, beside so many that are not.
async fn round_beside(many: i64) -> Work {
    let database = testing::sqlite();
    let f = Fixture::new(Db::open(&database.url, 0).await.unwrap()).await;
    let_run(&f, many).await;
    for line in ["L1", "L2"] {
        f.report(line, TEN, TEN).await.unwrap();
    }
    for n in [1, 2] {
        let desk = f.desk.clone();
        f.db.write(Priority::Api, move |tx| open(&desk, tx, &request(n), TEN)).await.unwrap();
    }
    let desk = f.desk.clone();
    let work = move |tx: &mut Tx<'_>| {
        let faults = engine::round(&desk, tx, minute(16))?;
        let matters = round::round(&desk, tx, minute(16))?;
        Ok::<_, DbError>((faults.due, matters.due, tx.work()))
    };
    let (faults, matters, work) = f.db.write(Priority::Engine, work).await.unwrap();
    assert_eq!((faults, matters), (2, 2));
    work
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_costs_what_is_due_however_much_runs() {
    let many = if std::env::var_os("LINEWATCH_MILLION").is_some() { 1_000_000 } else { 100_000 };
    let (few, many) = (round_beside(10).await, round_beside(many).await);
    let rows = |work: Work| (work.statements, work.rows_read, work.rows_written);
    assert_eq!(rows(many), rows(few));
    assert!(many.steps <= few.steps + few.steps / 10, "{} steps where it were {}", many.steps, few.steps);
}

/// Their bodies cannot be read: whoever tries fails.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_reads_no_fault_whose_time_was_counted() {
    let database = testing::sqlite();
    let f = Fixture::new(Db::open(&database.url, 0).await.unwrap()).await;
    let_run(&f, 1_000).await;
    assert_eq!(recount(&f.db, &f.desk, TEN).await.unwrap(), 0);
}
