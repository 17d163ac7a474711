//! What people say over the API.

use linewatch_shared::facts::{Callback, StepKind};

use super::*;
use crate::db::testing::{both, int};

#[tokio::test(flavor = "multi_thread")]
async fn the_second_report_joins_and_the_life_ends_with_the_customer_s_word() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let first = f.report("L1", TEN, TEN).await.unwrap();
        assert!(!first.joined);
        let second = f.report("L1", minute(5), minute(5)).await.unwrap();
        assert_eq!((second.fault, second.joined), (first.fault, true));
        // An earlier report, told later, is the same fault too, under its own id.
        let earlier = f.report("L1", minute(-5), minute(6)).await.unwrap();
        assert!(earlier.joined);
        for (at, kind) in [
            (7, StepKind::Acknowledged),
            (8, StepKind::Dispatched),
            (9, StepKind::Feedback { reached: true }),
            (40, StepKind::Restored),
            (41, StepKind::Feedback { reached: true }),
            (60, StepKind::Repaired),
            (90, StepKind::Callback(Callback::Satisfied)),
        ] {
            f.step(first.fault, kind, minute(at), minute(at)).await.unwrap();
        }
        let fault = f.fault(first.fault, minute(100)).await;
        assert_eq!(fault.fault.state, "closed");
        assert_eq!(fault.fault.id, earlier.fault.to_string());
        assert_eq!(fault.fault.repeat.count, 1);
        assert_eq!(fault.fault.interruption.ms, 45 * MINUTE_MS);
        assert_eq!(fault.facts.len(), 10);
        assert!(fault.facts.iter().all(|fact| fact.misfit.is_none()), "{fault:#?}");
        assert_eq!(int(&f.db, "SELECT COUNT(*) FROM fault").await.unwrap(), 1);
        assert_eq!(int(&f.db, "SELECT COUNT(*) FROM fault WHERE next_wake_ms IS NOT NULL").await.unwrap(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_and_changes_nothing() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let fault = f.report("L1", TEN, TEN).await.unwrap().fault;
        let before = f.figures().await;
        let impossible = f.step(fault, StepKind::Repaired, minute(1), minute(1)).await.unwrap_err();
        let DeskError::Impossible { possible, .. } = impossible else { panic!("{impossible}") };
        assert!(possible.contains(&"restored"));
        let early = f.step(fault, StepKind::Restored, minute(-1), minute(1)).await.unwrap_err();
        assert!(matches!(early, DeskError::Impossible { .. }), "{early}");
        let ahead = f.step(fault, StepKind::Restored, minute(7), minute(1)).await.unwrap_err();
        assert!(matches!(ahead, DeskError::Invalid { field: "occurred_at", .. }), "{ahead}");
        let nobody = f.step(Uuid::from_u128(1), StepKind::Restored, TEN, TEN).await.unwrap_err();
        assert!(matches!(nobody, DeskError::NoFault(_)), "{nobody}");
        let nowhere = f.report("L9", TEN, TEN).await.unwrap_err();
        assert!(matches!(nowhere, DeskError::NoLine(_)), "{nowhere}");
        let cause = StepKind::Exempted { cause: "weather".to_owned(), grantor: "noc".to_owned() };
        let unlisted = f.step(fault, cause, minute(1), minute(1)).await.unwrap_err();
        assert!(matches!(unlisted, DeskError::Invalid { field: "cause", .. }), "{unlisted}");
        assert_eq!(f.figures().await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mark_is_one_message_whatever_is_repeated() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let fault = f.report("L1", TEN, TEN).await.unwrap().fault;
        f.step(fault, StepKind::Feedback { reached: true }, TEN, TEN).await.unwrap();
        for at in [15, 24, 30, 31, 60, 96, 120, 121, 121, 400] {
            let mut round = f.engine(minute(at)).await;
            while round.due > 0 {
                round = f.engine(minute(at)).await;
            }
        }
        let keys = f.texts("SELECT key FROM outbox ORDER BY n").await;
        let told: Vec<String> =
            keys.iter().map(|key| key.split('/').skip(1).collect::<Vec<_>>().join("/")).collect();
        let feedback = told.iter().filter(|key| key.starts_with("feedback")).count();
        assert_eq!(feedback, 3, "eight silent hours are one chain of alerts: {told:#?}");
        let restoration: Vec<&String> = told.iter().filter(|key| key.starts_with("restoration")).collect();
        let expected = ["warn_50", "warn_80", "missed"]
            .map(|mark| format!("restoration/first/{mark}/0/email/a@example.com"));
        assert_eq!(restoration, expected.iter().collect::<Vec<_>>());
        let missed = "SELECT COUNT(*) FROM deadline WHERE kind = 'feedback' AND state = 'missed'";
        assert_eq!(int(&f.db, missed).await.unwrap(), 13, "and every period is a miss of its own");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_without_a_manager_s_address_ends_as_a_visible_dead_letter() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        f.report("L3", TEN, TEN).await.unwrap();
        f.engine(minute(240)).await;
        let dead = f.texts("SELECT error FROM outbox WHERE state = 'dead'").await;
        assert!(!dead.is_empty() && dead.iter().all(|error| error.contains("manager_email")), "{dead:?}");
        assert_eq!(int(&f.db, "SELECT COUNT(*) FROM outbox WHERE state = 'pending'").await.unwrap(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_s_work_grows_with_what_is_due() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        f.report("L1", TEN, TEN).await.unwrap();
        f.report("L3", TEN, TEN).await.unwrap();
        let round = f.engine(minute(15)).await;
        assert_eq!(round.due, 1, "the other one's feedback is due every hour");
        assert_eq!(round.next, Some(minute(24)));
        assert_eq!(f.engine(minute(15)).await.due, 0);
    })
    .await;
}
