use linewatch_shared::time::DAY_MS;

use super::prune::{Keep, tick};
use super::verify::{Verdict, verify, verify_file};
use super::walk::How;
use super::*;
use crate::db::testing::{both, databases, int};
use crate::db::{Tx, Value};

const NOW: UnixMs = UnixMs(1_790_000_000_000);

async fn note(db: &Db, who: &'static str, action: Action, at: UnixMs) {
    let written: Result<(), DbError> = db
        .write(Priority::Api, move |tx| {
            audit(tx, at.0, who, action, "customer bank", Some(&json!({ "phone": "13900001111" })))
        })
        .await;
    written.unwrap();
}

async fn five(db: &Db) {
    for who in ["ann", "bea", "cyd", "dan", "eve"] {
        note(db, who, Action::StepGranted, NOW).await;
    }
}

async fn sql(db: &Db, statements: &'static [&'static str]) -> Result<(), DbError> {
    db.write(Priority::Api, move |tx: &mut Tx<'_>| {
        for statement in statements {
            tx.execute(statement, &[])?;
        }
        Ok(())
    })
    .await
}

/// As somebody would who owns the database.
async fn forced(db: &Db, statements: &'static [&'static str]) {
    if db.backend() == "sqlite" {
        for name in ["keeps", "stays", "head_keeps", "head_goes_on", "cut_keeps", "cut_goes_on"] {
            let drop = format!("DROP TRIGGER IF EXISTS audit_{name}");
            let dropped: Result<u64, DbError> =
                db.write(Priority::Api, move |tx| tx.execute(&drop, &[])).await;
            dropped.unwrap();
        }
    } else {
        sql(db, &["ALTER TABLE audit DISABLE TRIGGER ALL", "ALTER TABLE audit_head DISABLE TRIGGER ALL"])
            .await
            .unwrap();
    }
    sql(db, statements).await.unwrap();
}

async fn found(db: &Db, anchors: &[Anchor]) -> Option<(i64, How)> {
    let Verdict { whole, broken, .. } = verify(db, anchors).await.unwrap();
    assert_eq!(whole, broken.is_none());
    broken.map(|broken| (broken.n, broken.how))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_that_write_at_once_make_one_chain() {
    for database in databases().await {
        let nodes =
            [Db::open(&database.url, NOW.0).await.unwrap(), Db::open(&database.url, NOW.0).await.unwrap()];
        let writes = (0..60).map(|n| note(&nodes[n % 2], "ann", Action::SignedIn, NOW));
        futures::future::join_all(writes).await;
        let verdict = verify(&nodes[0], &[]).await.unwrap();
        assert!(verdict.whole && verdict.entries == 60, "{verdict:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_refuses_to_change_an_entry() {
    both(|db| async move {
        five(&db).await;
        let refused: [&'static [&'static str]; 9] = [
            &["UPDATE audit SET who = 'eve' WHERE n = 1"],
            &["UPDATE audit SET at_ms = 5 WHERE n = 1"],
            &["UPDATE audit SET action = 'signed out' WHERE n = 1"],
            &["UPDATE audit SET detail = '{}' WHERE n = 1"],
            &["UPDATE audit SET n = 9 WHERE n = 5"],
            &["DELETE FROM audit WHERE n = 5"],
            &["DELETE FROM audit"],
            &["DELETE FROM audit_head"],
            &["UPDATE audit_head SET n = 4"],
        ];
        for statements in refused {
            let error = sql(&db, statements).await.unwrap_err().to_string();
            assert!(error.contains("append-only"), "{statements:?}: {error}");
        }
        assert_eq!(found(&db, &[]).await, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_was_done_to_it_is_found_and_named() {
    let cases: [(&'static [&'static str], (i64, How)); 9] = [
        (&["UPDATE audit SET who = 'eve' WHERE n = 3"], (3, How::Changed)),
        (&["UPDATE audit SET detail = '{}' WHERE n = 3"], (3, How::Changed)),
        (&["UPDATE audit SET at_ms = at_ms - 1 WHERE n = 2"], (2, How::Changed)),
        (&["DELETE FROM audit WHERE n = 3"], (3, How::Missing)),
        (&["DELETE FROM audit WHERE n = 1"], (1, How::Missing)),
        (&["DELETE FROM audit WHERE n = 5"], (5, How::CutAtTheEnd)),
        (
            &[
                "UPDATE audit SET n = 99 WHERE n = 2",
                "UPDATE audit SET n = 2 WHERE n = 4",
                "UPDATE audit SET n = 4 WHERE n = 99",
            ],
            (2, How::Moved),
        ),
        (
            &["UPDATE audit SET who = NULL, subject = NULL, salt = NULL, detail = NULL WHERE n = 2"],
            (2, How::Emptied),
        ),
        (&["UPDATE audit SET detail = NULL, detail_salt = NULL WHERE n = 4"], (4, How::Emptied)),
    ];
    for (statements, expected) in cases {
        both(move |db| async move {
            five(&db).await;
            assert_eq!(found(&db, &[]).await, None);
            forced(&db, statements).await;
            assert_eq!(found(&db, &[]).await, Some(expected), "{statements:?}");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_was_taken_away_is_known_from_the_anchors() {
    both(|db| async move {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("anchors");
        five(&db).await;
        assert!(restored(&db, &file, "admin", "none", NOW).await.is_err());
        anchors::write(&db, &file, NOW).await.unwrap().unwrap();
        anchors::write(&db, &file, NOW).await.unwrap().unwrap();
        assert_eq!(anchors::read(&file).unwrap().len(), 1);
        forced(
            &db,
            &[
                "DELETE FROM audit WHERE n > 3",
                "UPDATE audit_head SET n = 3, hash = (SELECT hash FROM audit WHERE n = 3)",
            ],
        )
        .await;
        assert_eq!(found(&db, &[]).await, None, "by itself it is whole");
        let known = anchors::read(&file).unwrap();
        assert_eq!(found(&db, &known).await, Some((4, How::CutAtTheEnd)));
        // Going on from there makes another chain.
        let before: Vec<Anchor> = known.clone();
        note(&db, "fay", Action::SignedIn, NOW).await;
        note(&db, "fay", Action::SignedIn, NOW).await;
        assert_eq!(found(&db, &before).await, Some((5, How::Rewritten)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_was_put_back_is_acknowledged() {
    both(|db| async move {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("anchors");
        five(&db).await;
        anchors::write(&db, &file, NOW).await.unwrap();
        forced(
            &db,
            &[
                "DELETE FROM audit WHERE n > 2",
                "UPDATE audit_head SET n = 2, hash = (SELECT hash FROM audit WHERE n = 2)",
            ],
        )
        .await;
        let anchor = restored(&db, &file, "admin", "the disk failed", NOW).await.unwrap();
        assert_eq!(anchor.n, 3);
        assert_eq!(found(&db, &anchors::read(&file).unwrap()).await, None);
        let said = int(&db, "SELECT COUNT(*) FROM audit WHERE action = 'audit trail restored'").await;
        assert_eq!(said.unwrap(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_goes_by_kind_and_the_chain_stays_whole() {
    both(|db| async move {
        note(&db, "ann", Action::ContactRead, NOW).await;
        note(&db, "ann", Action::SignedIn, NOW).await;
        note(&db, "ann", Action::StepGranted, NOW).await;
        let keep = Keep::default();
        assert_eq!(tick(&db, keep, NOW + DAY_MS).await.unwrap(), 0);
        assert_eq!(tick(&db, keep, NOW + 366 * DAY_MS).await.unwrap(), 1);
        assert_eq!(tick(&db, keep, NOW + 366 * DAY_MS).await.unwrap(), 0);
        let verdict = verify(&db, &[]).await.unwrap();
        assert!(verdict.whole && verdict.emptied == 1 && verdict.entries == 4, "{verdict:?}");
        // The next day its place goes, too: it was the first.
        tick(&db, keep, NOW + 368 * DAY_MS).await.unwrap();
        let verdict = verify(&db, &[]).await.unwrap();
        assert!(verdict.whole && verdict.emptied == 0, "{verdict:?}");
        assert_eq!(int(&db, "SELECT MIN(n) FROM audit").await.unwrap(), 2);
        assert_eq!(tick(&db, keep, NOW + 731 * DAY_MS).await.unwrap(), 1);
        assert_eq!(tick(&db, keep, NOW + 733 * DAY_MS).await.unwrap(), 0);
        assert_eq!(int(&db, "SELECT MIN(n) FROM audit").await.unwrap(), 3);
        assert_eq!(found(&db, &[]).await, None);
        // A cut that nobody spoke of.
        forced(&db, &["UPDATE audit_cut SET n = 3, hash = (SELECT hash FROM audit WHERE n = 3)"]).await;
        assert_eq!(found(&db, &[]).await, Some((3, How::CutAtTheBeginning)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_personal_goes_and_the_chain_stays_whole() {
    both(|db| async move {
        five(&db).await;
        let written: Result<(), DbError> = db
            .write(Priority::Api, |tx| {
                let other = json!({ "reason": "rang 13900001111" });
                audit(tx, NOW.0, "ann", Action::StepGranted, "other", Some(&other))?;
                audit(tx, NOW.0, "ann", Action::StepGranted, "other", Some(&json!({ "reason": "none" })))
            })
            .await;
        written.unwrap();
        let words = ["13900001111".to_owned()].into();
        let whose = erase::Whose { customer: "bank".to_owned(), words };
        assert_eq!(erase::details(&db, whose.clone(), None, NOW).await.unwrap(), 6);
        let id = uuid::Uuid::nil();
        assert_eq!(erase::details(&db, whose.clone(), Some(id), NOW).await.unwrap(), 6);
        assert_eq!(erase::details(&db, whose, Some(id), NOW).await.unwrap(), 0);
        let left = "SELECT COUNT(*) FROM audit WHERE detail LIKE '%13900001111%'";
        assert_eq!(int(&db, left).await.unwrap(), 0);
        let verdict = verify(&db, &[]).await.unwrap();
        assert!(verdict.whole && verdict.erased == 6 && verdict.entries == 8, "{verdict:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_can_be_checked_by_itself() {
    both(|db| async move {
        five(&db).await;
        note(&db, "=cmd()", Action::SignedIn, NOW).await;
        let mut file = Vec::new();
        let written = export::write(&db, export::Form::Jsonl, "admin", NOW, &mut file).await.unwrap();
        assert_eq!(written, 7, "its own entry is in it");
        let verdict = verify_file(file.as_slice(), &[]).unwrap();
        assert!(verdict.whole && verdict.entries == 7, "{verdict:?}");
        let text = String::from_utf8(file).unwrap();
        let changed = text.replace("\"bea\"", "\"eve\"");
        let broken = verify_file(changed.as_bytes(), &[]).unwrap().broken.unwrap();
        assert_eq!((broken.n, broken.how), (2, How::Changed));
        let shorter: Vec<&str> = text.lines().take(4).collect();
        let known = Anchor { at: String::new(), n: 5, hash: String::new(), restored: false };
        let broken = verify_file(shorter.join("\n").as_bytes(), &[known]).unwrap().broken.unwrap();
        assert_eq!((broken.n, broken.how), (4, How::CutAtTheEnd));
        assert!(verify_file(&b"{}"[..], &[]).is_err());

        let mut file = Vec::new();
        export::write(&db, export::Form::Csv, "admin", NOW, &mut file).await.unwrap();
        let text = String::from_utf8(file).unwrap();
        assert!(text.contains(",'=cmd(),"), "{text}");
        let said = int(&db, "SELECT COUNT(*) FROM audit WHERE action = 'audit trail exported'").await;
        assert_eq!(said.unwrap(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_before_the_chain_is_taken_over_in_order() {
    both(|db| async move {
        let old = "INSERT INTO audit_before (at_ms, who, action, subject, detail) VALUES ($1, 'ann', 'signed in', 'ann', $2)";
        let written: Result<(), DbError> = db
            .write(Priority::Api, move |tx| {
                for at in 0..3_i64 {
                    tx.execute(old, &[at.into(), Value::from(None::<String>)])?;
                }
                Ok(())
            })
            .await;
        written.unwrap();
        note(&db, "bea", Action::SignedIn, NOW).await;
        let verdict = verify(&db, &[]).await.unwrap();
        assert!(verdict.whole && verdict.entries == 4, "{verdict:?}");
        assert_eq!(int(&db, "SELECT COUNT(*) FROM audit_before").await.unwrap(), 0);
        assert_eq!(int(&db, "SELECT at_ms FROM audit WHERE n = 3").await.unwrap(), 2);
    })
    .await;
}
