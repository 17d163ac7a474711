//! What both databases have to do alike.

mod one_kind;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use uuid::Uuid;

use super::testing::{both, both_empty, int};
use super::{Db, DbError, LockKey, Priority, Row, Tx, Value};

const WAIT: Duration = Duration::from_secs(10);

async fn table(db: &Db, sql: &'static str) {
    db.write(Priority::Api, move |tx| tx.script(sql)).await.unwrap();
}

fn add(tx: &mut Tx<'_>, id: i64) -> Result<u64, DbError> {
    tx.execute("INSERT INTO t (id) VALUES ($1)", &[id.into()])
}

#[tokio::test(flavor = "multi_thread")]
async fn values_come_back_as_they_went_in() {
    both_empty(|db| async move {
        table(&db, "CREATE TABLE v (i BIGINT, r DOUBLE PRECISION, t {text}, b {blob}, n {pk_auto})").await;
        let id = Uuid::now_v7();
        let rows = [
            vec![i64::MIN.into(), 0.1.into(), "线路 '$1' -- x".into(), id.into()],
            vec![i64::MAX.into(), f64::MIN.into(), "".into(), Vec::new().into()],
            vec![true.into(), 3.0.into(), Value::Null, None::<i64>.map_or(Value::Null, Into::into)],
            vec![Value::Null; 4],
        ];
        let stored = rows.clone();
        let found: Vec<Row> = db
            .write(Priority::Api, move |tx| -> Result<_, DbError> {
                // The numbers are out of order on purpose.
                let sql = "INSERT INTO v (b, t, r, i) VALUES ($4, $3, $2, $1)";
                assert_eq!(tx.batch(sql, &stored)?, 4);
                tx.query("SELECT i, r, t, b FROM v ORDER BY n", &[])
            })
            .await
            .unwrap();
        assert_eq!(found, rows.map(Row::new).to_vec());
        assert_eq!(found[0].get::<Uuid>(3).unwrap(), id);
        assert!(found[2].get::<bool>(0).unwrap());
        assert_eq!(found[3].get::<Option<String>>(2).unwrap(), None);
        let wrong = found[0].get::<String>(0).unwrap_err().to_string();
        assert_eq!(wrong, "column 0 should be a text but is an integer");
        assert!(found[0].get::<u32>(0).unwrap_err().to_string().contains("integer (u32)"));
        assert!(found[0].get::<i64>(9).is_err());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_undoes_everything() {
    both_empty(|db| async move {
        table(&db, "CREATE TABLE t (id BIGINT PRIMARY KEY)").await;
        let refused: Result<(), DbError> = db
            .write(Priority::Api, |tx| {
                add(tx, 1)?;
                Err(DbError::Data("no".into()))
            })
            .await;
        assert!(matches!(refused, Err(DbError::Data(_))));
        assert_eq!(int(&db, "SELECT COUNT(*) FROM t").await.unwrap(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swallowed_error_commits_nothing() {
    both_empty(|db| async move {
        table(&db, "CREATE TABLE t (id BIGINT PRIMARY KEY)").await;
        let swallowed: Result<(), DbError> = db
            .write(Priority::Api, |tx| {
                add(tx, 1)?;
                let twice = add(tx, 1).unwrap_err();
                assert!(twice.is_unique_violation() && !twice.is_retryable(), "{twice}");
                assert!(matches!(add(tx, 2), Err(DbError::Aborted)));
                Ok(())
            })
            .await;
        assert!(matches!(swallowed, Err(DbError::Aborted)));
        assert_eq!(int(&db, "SELECT COUNT(*) FROM t").await.unwrap(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_keys_hold() {
    both(|db| async move {
        let orphan = db
            .write(Priority::Api, |tx| {
                tx.execute(
                    "INSERT INTO line (code, customer, interval_ms, created_at_ms, updated_at_ms) \
                     VALUES ('l', 'nobody', 1000, 0, 0)",
                    &[],
                )
            })
            .await;
        assert!(orphan.unwrap_err().is_foreign_key_violation());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_cannot_write_and_sees_one_snapshot() {
    both_empty(|db| async move {
        table(&db, "CREATE TABLE t (id BIGINT PRIMARY KEY)").await;
        assert!(db.read(|tx| add(tx, 1)).await.is_err());
        let writer = db.clone();
        let runtime = tokio::runtime::Handle::current();
        let counts: (i64, i64) = db
            .read(move |tx| -> Result<_, DbError> {
                let before = tx.query_one("SELECT COUNT(*) FROM t", &[])?.get(0)?;
                let (written, done) = std::sync::mpsc::sync_channel(1);
                let writer = writer.clone();
                runtime.spawn(async move {
                    writer.write(Priority::Api, |tx| add(tx, 1)).await.unwrap();
                    written.send(()).unwrap();
                });
                done.recv_timeout(WAIT).unwrap();
                Ok((before, tx.query_one("SELECT COUNT(*) FROM t", &[])?.get(0)?))
            })
            .await
            .unwrap();
        assert_eq!(counts, (0, 0));
        assert_eq!(int(&db, "SELECT COUNT(*) FROM t").await.unwrap(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_undone_and_the_database_goes_on() {
    both_empty(|db| async move {
        table(&db, "CREATE TABLE t (id BIGINT PRIMARY KEY)").await;
        for _ in 0..40 {
            let panicked: Result<(), DbError> = db
                .write(Priority::Api, |tx| {
                    add(tx, 1)?;
                    panic!("on purpose")
                })
                .await;
            assert!(matches!(panicked, Err(DbError::Panicked)));
        }
        db.write(Priority::Api, |tx| add(tx, 1)).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_hear_only_what_is_committed() {
    both_empty(|db| async move {
        table(&db, "CREATE TABLE t (id BIGINT PRIMARY KEY)").await;
        let mut heard = db.listen("engine");
        let mut other = db.listen("other");
        let undone: Result<(), DbError> = db
            .write(Priority::Api, |tx| {
                tx.notify("engine")?;
                Err(DbError::Closed)
            })
            .await;
        assert!(undone.is_err());
        assert!(tokio::time::timeout(Duration::from_millis(100), heard.wait()).await.is_err());
        db.write(Priority::Api, |tx| tx.notify("engine")).await.unwrap();
        tokio::time::timeout(WAIT, heard.wait()).await.unwrap();
        db.notify("engine").await;
        tokio::time::timeout(WAIT, heard.wait()).await.unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(100), other.wait()).await.is_err());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_is_tried_again() {
    both_empty(|db| async move {
        table(&db, "CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT NOT NULL DEFAULT 0)").await;
        db.write(Priority::Api, |tx| {
            add(tx, 1)?;
            add(tx, 2)
        })
        .await
        .unwrap();
        let tries = Arc::new(AtomicU32::new(0));
        // SQLite has one writer at a time: there the second never holds its row beside the first.
        let held = Arc::new(Rendezvous::of(if db.backend() == "postgres" { 2 } else { 0 }));
        let swap = |first: i64, second: i64| {
            let (db, tries, held) = (db.clone(), Arc::clone(&tries), Arc::clone(&held));
            async move {
                db.write(Priority::Api, move |tx| {
                    let sql = "UPDATE t SET n = n + 1 WHERE id = $1";
                    tx.execute(sql, &[first.into()])?;
                    tries.fetch_add(1, Ordering::SeqCst);
                    held.arrive();
                    tx.execute(sql, &[second.into()])
                })
                .await
            }
        };
        let (a, b) = tokio::join!(swap(1, 2), swap(2, 1));
        a.unwrap();
        b.unwrap();
        assert_eq!(int(&db, "SELECT CAST(SUM(n) AS BIGINT) FROM t").await.unwrap(), 4);
        if db.backend() == "postgres" {
            assert!(tries.load(Ordering::SeqCst) > 2, "there was no deadlock to try again");
        }
    })
    .await;
}

/// Lets nobody on until so many have arrived, and then everybody.
struct Rendezvous {
    missing: Mutex<usize>,
    complete: Condvar,
}

impl Rendezvous {
    fn of(missing: usize) -> Self {
        Self { missing: Mutex::new(missing), complete: Condvar::new() }
    }

    fn arrive(&self) {
        let mut missing = self.missing.lock().unwrap();
        *missing = missing.saturating_sub(1);
        self.complete.notify_all();
        let (_missing, waited) = self
            .complete
            .wait_timeout_while(missing, Duration::from_secs(30), |missing| *missing > 0)
            .unwrap();
        assert!(!waited.timed_out(), "the others never came");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn locks_make_read_then_write_safe() {
    both_empty(|db| async move {
        table(&db, "CREATE TABLE t (id BIGINT PRIMARY KEY)").await;
        let each = (0..24).map(|_| {
            db.write(Priority::Ingest, |tx| {
                tx.lock(&[LockKey::new("line", b"b"), LockKey::new("line", b"a")])?;
                let next: i64 = tx.query_one("SELECT COALESCE(MAX(id), 0) + 1 FROM t", &[])?.get(0)?;
                add(tx, next)
            })
        });
        for done in futures::future::join_all(each).await {
            done.unwrap();
        }
        assert_eq!(int(&db, "SELECT MAX(id) FROM t").await.unwrap(), 24);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_had_says_so() {
    let nowhere = super::DbUrl::parse("sqlite:/nonexistent/folder/x.db").unwrap();
    let failed = Db::open(&nowhere, 0).await.unwrap_err().to_string();
    assert!(failed.contains("/nonexistent/folder/x.db"), "{failed}");
    let nobody = super::DbUrl::parse("postgres://u@127.0.0.1:1/x").unwrap();
    let failed = Db::open(&nobody, 0).await.unwrap_err().to_string();
    assert!(failed.contains("cannot be reached"), "{failed}");
    for bad in ["", "sqlite:", "sqlite::memory:", "mysql://x", "postgres://a:b:c"] {
        assert!(super::DbUrl::parse(bad).is_err(), "{bad}");
    }
}
