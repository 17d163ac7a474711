//! What the board costs, counted: it does not grow with what is over, or with what else is stored.

use super::*;
use crate::app::desk::board::{EngineView, snapshot};
use crate::db::{DbError, Tx, Work, testing};
use crate::store::scope::Scope;

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
