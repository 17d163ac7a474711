//! Numbers without gaps, commits shared, ids unique.

use std::collections::BTreeSet;

use super::*;

#[test]
fn an_id_is_stored_once() {
    let db = memory();
    let (scribe, _) = scribe();
    let one = report(&scribe, "one");
    assert_eq!(append(&db, &[one.clone(), report(&scribe, "two"), one.clone()]), 2);
    assert_eq!(append(&db, &[one]), 0);
    check_whole(&db);
}

#[test]
fn a_failed_write_undoes_itself_and_not_its_neighbours() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (good, bad) = runtime.block_on(async {
        let record = report(journal.scribe(), "kept");
        let bad = journal.write::<(), _>(|tx| {
            tx.execute_batch("DELETE FROM record; UPDATE lane SET last = 99")?;
            Err(crate::journal::JournalError::Damaged("on purpose".into()))
        });
        tokio::join!(async { journal.append(&[record]).await }, bad)
    });
    assert_eq!(good.unwrap(), 1);
    assert!(bad.unwrap_err().to_string().contains("on purpose"));
    journal
        .read_blocking(|db| {
            check_whole(db);
            Ok(())
        })
        .unwrap();
}

#[test]
fn many_appenders_share_commits() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let (before, _) = journal.counts();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..400)
            .map(|n| {
                let journal = journal.clone();
                tokio::spawn(async move {
                    let record = report(journal.scribe(), &n.to_string());
                    journal.append(&[record]).await.unwrap()
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), 1);
        }
    });
    let (commits, writes) = journal.counts();
    assert_eq!(writes, 400);
    assert!(commits - before < 400, "{commits} commits for 400 appends");
    journal
        .read_blocking(|db| {
            check_whole(db);
            Ok(())
        })
        .unwrap();
}

#[test]
fn ids_made_in_one_millisecond_are_in_order() {
    let (scribe, _) = scribe();
    let ids: Vec<_> =
        (0..1_000).map(|_| scribe.now_record(linewatch_shared::facts::Body::Tombstone).id).collect();
    assert!(ids.is_sorted());
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
}
