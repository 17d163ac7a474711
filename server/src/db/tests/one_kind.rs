//! What only one kind of database does: PostgreSQL's other nodes, SQLite's one writer and its copies.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{WAIT, add, table};
use crate::db::testing::{self, int};
use crate::db::{Db, DbError, DbUrl, Priority};

#[tokio::test(flavor = "multi_thread")]
async fn another_node_hears_too() {
    let database = testing::databases().await.pop().unwrap();
    let DbUrl::Postgres(_) = database.url else { return };
    let (one, two) = (
        Db::open_unmigrated(&database.url).await.unwrap(),
        Db::open_unmigrated(&database.url).await.unwrap(),
    );
    let mut heard = two.listen("engine");
    one.write(Priority::Api, |tx| tx.notify("engine")).await.unwrap();
    tokio::time::timeout(WAIT, heard.wait()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_connections_are_made_again() {
    let database = testing::databases().await.pop().unwrap();
    let DbUrl::Postgres(_) = database.url else { return };
    let (db, other) = (
        Db::open_unmigrated(&database.url).await.unwrap(),
        Db::open_unmigrated(&database.url).await.unwrap(),
    );
    table(&db, "CREATE TABLE t (id BIGINT PRIMARY KEY)").await;
    let mut heard = db.listen("engine");
    let kill = "SELECT CAST(COUNT(pg_terminate_backend(pid)) AS BIGINT) FROM pg_stat_activity \
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
    assert!(int(&other, kill).await.unwrap() >= 2);
    for id in 0..4 {
        db.write(Priority::Api, move |tx| add(tx, id)).await.unwrap();
    }
    // Whatever was said while it did not listen: it is told to look, once it listens again.
    tokio::time::timeout(WAIT, heard.wait()).await.unwrap();
    other.write(Priority::Api, |tx| tx.notify("engine")).await.unwrap();
    tokio::time::timeout(WAIT, heard.wait()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_goes_before_people_and_people_before_agents() {
    let database = testing::sqlite();
    let db = Db::open_unmigrated(&database.url).await.unwrap();
    let (go, wait) = std::sync::mpsc::sync_channel::<()>(1);
    let (first, wait) = (db.clone(), Mutex::new(wait));
    let (started, running) = tokio::sync::oneshot::channel();
    let mut started = Some(started);
    let blocker = tokio::spawn(async move {
        first
            .write(Priority::Ingest, move |_| -> Result<(), DbError> {
                started.take().unwrap().send(()).unwrap();
                wait.lock().unwrap().recv_timeout(WAIT).unwrap();
                Ok(())
            })
            .await
    });
    running.await.unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut jobs = Vec::new();
    for (queued, priority) in [Priority::Ingest, Priority::Api, Priority::Engine].into_iter().enumerate() {
        let (db_of_job, order) = (db.clone(), Arc::clone(&order));
        jobs.push(tokio::spawn(async move {
            db_of_job
                .write(priority, move |_| -> Result<(), DbError> {
                    order.lock().unwrap().push(priority);
                    Ok(())
                })
                .await
        }));
        for _ in 0..1000 {
            if db.queue_lengths().iter().sum::<usize>() > queued {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    go.send(()).unwrap();
    blocker.await.unwrap().unwrap();
    for job in jobs {
        job.await.unwrap().unwrap();
    }
    assert_eq!(*order.lock().unwrap(), [Priority::Engine, Priority::Api, Priority::Ingest]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_holds_what_was_committed() {
    let database = testing::sqlite();
    let db = Db::open_unmigrated(&database.url).await.unwrap();
    table(&db, "CREATE TABLE t (id BIGINT PRIMARY KEY); INSERT INTO t VALUES (7)").await;
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("copy.db");
    db.backup(to.clone()).await.unwrap();
    let copy = Db::open_unmigrated(&DbUrl::Sqlite(to.clone())).await.unwrap();
    assert_eq!(int(&copy, "SELECT id FROM t").await.unwrap(), 7);
    assert!(db.backup(to).await.unwrap_err().to_string().contains("already there"));
}

#[tokio::test(flavor = "multi_thread")]
async fn busy_people_leave_connections_for_the_engine() {
    let database = testing::databases().await.pop().unwrap();
    let DbUrl::Postgres(_) = database.url else { return };
    let db = Db::open_unmigrated(&database.url).await.unwrap();
    let (go, wait) = tokio::sync::watch::channel(false);
    let started = Arc::new(AtomicUsize::new(0));
    let mut people = Vec::new();
    for _ in 0..2 * crate::db::PG_POOL_SIZE {
        let (db, wait, handle) = (db.clone(), wait.clone(), tokio::runtime::Handle::current());
        let started = Arc::clone(&started);
        people.push(tokio::spawn(async move {
            db.write(Priority::Api, move |_| -> Result<(), DbError> {
                started.fetch_add(1, Ordering::SeqCst);
                let mut wait = wait.clone();
                handle.block_on(async move { wait.wait_for(|go| *go).await.map(drop) }).unwrap();
                Ok(())
            })
            .await
        }));
    }
    for _ in 0..1000 {
        if started.load(Ordering::SeqCst) >= crate::db::PG_POOL_SIZE - 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let engine = db.write(Priority::Engine, |tx| tx.query_one("SELECT CAST(1 AS BIGINT)", &[]));
    tokio::time::timeout(WAIT, engine).await.expect("the engine waits for people").unwrap();
    go.send(true).unwrap();
    for person in people {
        person.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_postgresql_names_the_right_tool() {
    let database = testing::databases().await.pop().unwrap();
    let DbUrl::Postgres(_) = database.url else { return };
    let db = Db::open_unmigrated(&database.url).await.unwrap();
    assert!(db.backup("/nonexistent".into()).await.unwrap_err().to_string().contains("pg_dump"));
}
