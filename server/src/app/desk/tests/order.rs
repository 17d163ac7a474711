//! The same facts in any order, in any batches, repeated or not: the same faults, promises and figures.

use LineState::{Down, Unknown, Up};
use linewatch_shared::facts::{Callback, StepKind};
use linewatch_shared::time::DAY_MS;

use super::*;
use crate::db::testing::both;

/// A month of two lines, told by one device: every kind of fact, several faults, one late confirmation.
fn month() -> Vec<Vec<u8>> {
    let device = Device::right();
    let day = |n: i64, at: i64| minute(at) + n * DAY_MS;
    let satisfied = StepKind::Callback(Callback::Satisfied);
    vec![
        device.clock(1, TEN),
        device.line(10, "L1", day(0, 1), Down),
        device.line(11, "L1", day(0, 30), Unknown),
        device.line(12, "L1", day(0, 50), Up),
        device.step(13, 10, day(0, 60), StepKind::Feedback { reached: true }),
        device.line(14, "L1", day(0, 120), Down),
        device.step(15, 14, day(0, 130), StepKind::Acknowledged),
        device.line(16, "L1", day(0, 300), Up),
        device.step(17, 10, day(0, 310), StepKind::Repaired),
        device.line(20, "L1", day(3, 1), Down),
        device.line(21, "L1", day(3, 5), Up),
        device.line(30, "L2", day(3, 2), Down),
        device.step(31, 30, day(3, 200), StepKind::Restored),
        device.step(32, 30, day(3, 210), StepKind::Repaired),
        device.step(33, 30, day(3, 220), StepKind::Callback(Callback::Unsatisfied)),
        device.step(34, 30, day(4, 0), StepKind::Restored),
        // Weeks later the first fault's customer says yes.
        device.step(18, 10, day(20, 0), satisfied.clone()),
        device.line(40, "L1", day(20, 60), Down),
        device.step(22, 20, day(21, 0), satisfied),
        // What fails later turns out to be the first one again; another failure was wrongly counted to it.
        device.step(41, 40, day(21, 10), StepKind::Merged { into: Uuid::from_u128(20) }),
        device.line(42, "L1", day(22, 0), Up),
        device.line(43, "L1", day(22, 60), Down),
        device.line(44, "L1", day(22, 90), Up),
        device.step(45, 43, day(23, 0), StepKind::Split { reports: vec![Uuid::from_u128(43)] }),
        device.step(46, 43, day(23, 1), StepKind::Repaired),
        device.step(47, 43, day(23, 2), StepKind::Callback(Callback::NotReached)),
        device.step(48, 43, day(23, 3), StepKind::Callback(Callback::NotReached)),
        // Two faults of the other line are one; the merge is undone again and made anew.
        device.line(50, "L2", day(10, 0), Down),
        device.line(51, "L2", day(10, 9), Up),
        device.step(52, 30, day(11, 0), StepKind::Merged { into: Uuid::from_u128(50) }),
        device.step(53, 50, day(12, 0), StepKind::Split { reports: vec![Uuid::from_u128(50)] }),
        device.step(54, 50, day(13, 0), StepKind::Merged { into: Uuid::from_u128(30) }),
        device.degraded(60, "L2", day(25, 0)),
        device.line(61, "L2", day(25, 30), Down),
        device.degraded(62, "L2", day(25, 40)),
        device.line(63, "L2", day(25, 50), Up),
        device.degraded(64, "L2", day(25, 400)),
        device.step(65, 64, day(25, 410), StepKind::Acknowledged),
    ]
}

/// A fixed shuffle for each seed.
fn shuffled(mut records: Vec<Vec<u8>>, seed: u64) -> Vec<Vec<u8>> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for at in (1..records.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        records.swap(at, (state % (at as u64 + 1)) as usize);
    }
    records
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_of_arrival_does_not_matter() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let end = minute(0) + 40 * DAY_MS;
        f.push(&month(), end).await;
        let expected = f.figures().await;
        assert!(expected.matches("closed").count() >= 1, "{expected}");
        for seed in 1..=12 {
            clear(&f).await;
            let records = shuffled(month(), seed);
            let mut sent: Vec<Vec<u8>> = Vec::new();
            let mut now = end - DAY_MS;
            for batch in records.chunks(1 + seed as usize % 4) {
                now = now + MINUTE_MS;
                // Every second batch is sent twice.
                for _ in 0..=(sent.len() % 2) {
                    f.push_from(sent.len() as u64 + 1, chain_after(&sent), batch, now).await;
                }
                sent.extend_from_slice(batch);
                f.engine(now).await;
            }
            touch_all(&f, end).await;
            assert_eq!(f.figures().await, expected, "seed {seed}");
        }
        clear(&f).await;
        f.push(&month(), end).await;
        touch_all(&f, end).await;
        assert_eq!(f.figures().await, expected, "a refold of everything finds the same");
    })
    .await;
}

/// A merge ties faults together that lie days apart, however late the one or the other is learnt.
#[tokio::test(flavor = "multi_thread")]
async fn a_merge_reaches_both_faults_whichever_comes_last() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let device = Device::right();
        let failure = |id: u128, day: i64| {
            let at = |n: i64| minute(n) + day * DAY_MS;
            [device.line(id, "L1", at(0), Down), device.line(id + 1, "L1", at(30), Up)]
        };
        let (first, second) = (failure(10, 0), failure(20, 2));
        let merged = |of: u128, into: u128| {
            let kind = StepKind::Merged { into: Uuid::from_u128(into) };
            vec![device.step(30, of, minute(0) + 3 * DAY_MS, kind)]
        };
        let now = minute(0) + 10 * DAY_MS;
        for batches in [
            [first.to_vec(), merged(20, 10), second.to_vec()],
            [first.to_vec(), [merged(20, 10), second.to_vec()].concat(), Vec::new()],
            [first.to_vec(), merged(10, 20), second.to_vec()],
            [second.to_vec(), merged(20, 10), first.to_vec()],
            [merged(10, 20), second.to_vec(), first.to_vec()],
        ] {
            clear(&f).await;
            let mut sent = Vec::new();
            for batch in batches.into_iter().filter(|batch| !batch.is_empty()) {
                f.push_from(sent.len() as u64 + 1, chain_after(&sent), &batch, now).await;
                sent.extend(batch);
            }
            let fault = f.fault(Uuid::from_u128(20), now).await;
            assert_eq!(fault.fault.id, Uuid::from_u128(10).to_string());
            assert_eq!(fault.facts.len(), 5, "{:#?}", fault.facts);
            assert_eq!(fault.gross_ms, 60 * MINUTE_MS);
        }
    })
    .await;
}

/// Feedback periods pass with the time: judge everything as of the end.
async fn touch_all(f: &Fixture, now: UnixMs) {
    let desk = f.desk.clone();
    let touched = ["L1", "L2"].map(|line| (line.to_owned(), super::super::Touched::at(TEN - DAY_MS))).into();
    f.db.write(Priority::Engine, move |tx| desk.settle(tx, &touched, now).map(drop)).await.unwrap();
    while f.engine(now).await.due > 0 {}
}

async fn clear(f: &Fixture) {
    f.db.write(Priority::Api, |tx| {
        for table in [
            "stream",
            "record",
            "aside",
            "clock",
            "fact",
            "fault",
            "fault_alias",
            "contribution",
            "deadline",
            "line_state",
            "event",
            "outbox",
        ] {
            tx.execute(&format!("DELETE FROM {table}"), &[])?;
        }
        Ok::<_, crate::db::DbError>(())
    })
    .await
    .unwrap();
}
