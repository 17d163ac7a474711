//! Faults merged and split, callbacks in vain and a supervisor's word, over the API's use cases.

use linewatch_shared::facts::{Callback, StepKind};
use linewatch_shared::time::DAY_MS;

use super::*;
use crate::db::testing::{both, int};

#[tokio::test(flavor = "multi_thread")]
async fn merged_faults_answer_to_both_ids_and_a_split_parts_them_again() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let (later, even_later) = (minute(0) + 3 * DAY_MS, minute(5) + 3 * DAY_MS);
        let first = f.report("L1", TEN, TEN).await.unwrap().fault;
        f.step(first, StepKind::Restored, minute(10), minute(10)).await.unwrap();
        let second = f.report("L1", later, later).await.unwrap().fault;
        assert_ne!(first, second);
        let one = f.step(second, StepKind::Merged { into: first }, even_later, even_later).await.unwrap();
        assert_eq!(one, first, "the earliest start wins");
        let merged = f.fault(second, even_later).await;
        assert_eq!((merged.fault.id, merged.fault.aliases), (first.to_string(), vec![second.to_string()]));
        assert_eq!((merged.fault.state.as_str(), merged.fault.repeat.count), ("open", 1));
        assert_eq!(merged.fault.interruption.ms, 15 * MINUTE_MS);
        assert_eq!((merged.gross_ms, merged.net_ms), (15 * MINUTE_MS, 15 * MINUTE_MS));
        assert_eq!(merged.facts.len(), 4, "both histories are kept");
        assert_eq!(int(&f.db, "SELECT COUNT(*) FROM fault").await.unwrap(), 1);
        assert_eq!(int(&f.db, "SELECT COUNT(*) FROM audit WHERE action = 'step granted'").await.unwrap(), 1);
        let again = even_later + MINUTE_MS;
        f.step(first, StepKind::Split { reports: vec![second] }, again, again).await.unwrap();
        let (old, new) = (f.fault(first, again).await.fault, f.fault(second, again).await.fault);
        assert_eq!((old.state.as_str(), new.state.as_str()), ("restored", "open"));
        assert_eq!((new.id, new.repeat.count), (second.to_string(), 2));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_merged_or_split_is_refused_and_changes_nothing() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let first = f.report("L1", TEN, TEN).await.unwrap().fault;
        let elsewhere = f.report("L2", TEN, TEN).await.unwrap().fault;
        let before = f.figures().await;
        let now = minute(1);
        let across = f.step(first, StepKind::Merged { into: elsewhere }, now, now).await.unwrap_err();
        assert!(matches!(across, DeskError::Invalid { field: "into", .. }), "{across}");
        assert!(across.to_string().contains("L2"), "{across}");
        let nobody =
            f.step(first, StepKind::Merged { into: Uuid::from_u128(9) }, now, now).await.unwrap_err();
        assert!(matches!(nobody, DeskError::NoFault(_)), "{nobody}");
        for kind in [StepKind::Merged { into: first }, StepKind::Split { reports: vec![first] }] {
            let refused = f.step(first, kind, now, now).await.unwrap_err();
            assert!(matches!(refused, DeskError::Impossible { .. }), "{refused}");
        }
        assert_eq!(f.figures().await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_in_vain_end_at_a_supervisor_who_closes() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let fault = f.report("L1", TEN, TEN).await.unwrap().fault;
        f.step(fault, StepKind::Restored, minute(5), minute(5)).await.unwrap();
        f.step(fault, StepKind::Repaired, minute(6), minute(6)).await.unwrap();
        for at in 10..14 {
            let vain = StepKind::Callback(Callback::NotReached);
            f.step(fault, vain, minute(at), minute(at)).await.unwrap();
        }
        let waiting = f.fault(fault, minute(20)).await;
        let owed = waiting.fault.supervisor.unwrap();
        assert_eq!((owed.state.as_str(), owed.due_at), ("running", (minute(13) + DAY_MS).to_rfc3339()));
        assert_eq!(waiting.deadlines.iter().filter(|d| d.kind == "callback").count(), 4);
        assert!(waiting.fault.possible.contains(&"closed_unconfirmed".to_owned()));
        let close = StepKind::ClosedUnconfirmed { reason: "moved out".to_owned(), by: "head".to_owned() };
        f.step(fault, close, minute(30), minute(30)).await.unwrap();
        let closed = f.fault(fault, minute(40)).await;
        assert_eq!(closed.fault.state, "closed_unconfirmed");
        assert_eq!(closed.fault.supervisor.unwrap().state, "met");
        assert_eq!(closed.facts.last().unwrap().fields["reason"], "moved out");
        assert_eq!(int(&f.db, "SELECT COUNT(*) FROM fault WHERE live = 1").await.unwrap(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_device_grants_is_in_the_audit_trail_once() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let device = Device::right();
        let records = [
            device.clock(1, TEN),
            device.line(10, "L1", TEN, LineState::Down),
            device.step(11, 10, minute(1), StepKind::Acknowledged),
            device.step(
                12,
                10,
                minute(2),
                StepKind::Exempted { cause: "customer_power".to_owned(), grantor: "duty".to_owned() },
            ),
        ];
        for _ in 0..2 {
            f.push(&records, minute(10)).await;
        }
        let audited = f.texts("SELECT detail FROM audit WHERE action = 'step granted'").await;
        assert_eq!(audited.len(), 1, "{audited:?}");
        assert!(audited[0].contains("exempted"), "{audited:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_device_decides_in_a_supervisor_s_name() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let device = Device::right();
        let close = StepKind::ClosedUnconfirmed { reason: String::new(), by: "head".to_owned() };
        let rate = StepKind::Rerated {
            tier: Some("standard".to_owned()),
            version: None,
            reason: "kinder".to_owned(),
            grantor: "head".to_owned(),
        };
        f.push(
            &[
                device.clock(1, TEN),
                device.line(10, "L1", TEN, LineState::Down),
                device.line(11, "L1", minute(5), LineState::Up),
                device.step(12, 10, minute(6), close),
                device.step(13, 10, minute(7), rate),
            ],
            minute(10),
        )
        .await;
        let fault = f.fault(Uuid::from_u128(10), minute(10)).await.fault;
        assert_eq!((fault.state.as_str(), fault.tier.as_str()), ("restored", "AAA"));
        assert_eq!(f.texts("SELECT reason FROM aside").await, ["out_of_scope", "out_of_scope"]);
    })
    .await;
}
