//! What taking facts in costs, counted in rows and not in seconds: it grows with the facts and the faults that they
//! touch, not with what else is known.

use linewatch_shared::facts::Callback;
use linewatch_shared::time::DAY_MS;

use super::*;
use crate::app::desk::view::{self, FaultView, Lens};
use crate::db::Work;
use crate::db::testing::both;
use crate::store::faults::Wanted;

/// Beside its record and itself, a fact costs its batch no more rows than this for each fault that is touched.
const ROWS_PER_FAULT_MAX: u64 = 24;
/// Nor more statements.
const STATEMENTS_PER_FAULT_MAX: u64 = 40;

/// A lane as it is filled batch by batch.
struct LaneOf<'a> {
    f: &'a Fixture,
    sent: Vec<Vec<u8>>,
}

impl LaneOf<'_> {
    async fn push(&mut self, records: &[Vec<u8>], now: UnixMs) -> Work {
        let envelope = Envelope {
            protocol: PROTOCOL,
            epoch: 1,
            lane: Lane::Fault,
            first: self.sent.len() as u64 + 1,
            chain: chain_after(&self.sent),
            count: records.len() as u32,
        };
        self.sent.extend_from_slice(records);
        let (desk, agent, bodies) = (self.f.desk.clone(), self.f.agent, records.to_vec());
        let work = move |tx: &mut crate::db::Tx<'_>| {
            take(&desk, tx, &Part { agent, envelope: &envelope, bodies: &bodies, skip: 0 }, now)?;
            Ok::<_, crate::db::DbError>(tx.work())
        };
        self.f.db.write(Priority::Ingest, work).await.unwrap()
    }
}

fn note(id: u128, fault: u128, at: UnixMs) -> Vec<u8> {
    Device::right().step(id, fault, at, StepKind::Note { text: "still looking".to_owned() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_writes_each_fault_once_and_of_it_what_changed() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let mut lane = LaneOf { f: &f, sent: Vec::new() };
        let now = TEN + 21 * DAY_MS;
        let clock = Device::right().clock(1, TEN);
        lane.push(&[clock, Device::right().line(10, "L1", TEN, LineState::Down)], now).await;
        let acknowledged = Device::right().step(11, 10, minute(1), StepKind::Acknowledged);
        let first = lane.push(&[acknowledged], now).await;
        assert!(first.rows_written > 200, "three silent weeks are hundreds of missed periods: {first:?}");
        let notes: Vec<_> = (0..100).map(|n| note(100 + n, 10, minute(2 + n as i64))).collect();
        let many = lane.push(&notes, now).await;
        let beside = many.rows_written - 2 * notes.len() as u64;
        assert!(beside <= ROWS_PER_FAULT_MAX, "{beside} rows beside a hundred facts and their records");
        let beside = many.statements - 2 * notes.len() as u64;
        assert!(beside <= STATEMENTS_PER_FAULT_MAX, "{beside} statements beside those that store them");
        assert_eq!(many.made_anew, 0, "statements are planned once");
        let one = lane.push(&[note(300, 10, minute(400))], now).await;
        assert!(one.rows_written <= 2 + ROWS_PER_FAULT_MAX, "{one:?}");
    })
    .await;
}

/// A fault of a day, from its first lost probe to the customer's word.
fn whole_fault(id: u128, day: i64) -> Vec<Vec<u8>> {
    let device = Device::right();
    let at = |n: i64| minute(n) + day * DAY_MS;
    vec![
        device.line(id, "L1", at(0), LineState::Down),
        device.step(id + 1, id, at(5), StepKind::Acknowledged),
        device.line(id + 2, "L1", at(60), LineState::Up),
        device.step(id + 3, id, at(70), StepKind::Repaired),
        device.step(id + 4, id, at(90), StepKind::Callback(Callback::Satisfied)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_of_a_line_makes_its_next_fault_no_dearer() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let mut lane = LaneOf { f: &f, sent: Vec::new() };
        let now = TEN + 300 * DAY_MS;
        lane.push(&[Device::right().clock(1, TEN)], now).await;
        let mut costs = Vec::new();
        for n in 0..60 {
            costs.push(lane.push(&whole_fault(1_000 * (n + 1), 2 * n as i64), now).await);
        }
        let (early, late) = (costs[3], costs[59]);
        assert_eq!((late.statements, late.rows_read), (early.statements, early.rows_read), "{late:?}");
        assert_eq!(late.rows_written, early.rows_written, "{late:?}");
        // Searching deeper trees and packing longer pages is not free, but visiting every old row would be ten times.
        assert!(late.steps <= early.steps * 2, "{} steps where it were {}", late.steps, early.steps);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_faults_and_a_fault_s_story_take_as_many_statements_however_long_they_are() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let mut lane = LaneOf { f: &f, sent: Vec::new() };
        let now = TEN + 300 * DAY_MS;
        lane.push(&[Device::right().clock(1, TEN)], now).await;
        let mut costs = Vec::new();
        for n in 0..40 {
            lane.push(&whole_fault(1_000 * (n + 1), 2 * n as i64), now).await;
            let desk = f.desk.clone();
            let read = move |tx: &mut crate::db::Tx<'_>| {
                let versions = desk.packs.versions(tx)?;
                let lens = Lens { now, versions: &versions };
                let page = view::page(tx, &lens, &Wanted::default(), 100)?;
                let of_page = tx.work();
                detail::read(&desk, tx, Uuid::from_u128(1_000), now)?;
                Ok::<_, DeskError>((page, of_page.statements, tx.work() - of_page))
            };
            costs.push(f.db.read(read).await.unwrap());
        }
        let (first, last) = (costs.first().unwrap(), costs.last().unwrap());
        assert_eq!((first.0.len(), last.0.len()), (1, 40));
        assert_eq!(last.1, first.1, "statements of a page");
        assert_eq!(last.2.statements, first.2.statements, "statements of a story");
        // The line's figures count its other faults; of their facts none is read.
        assert_eq!(last.2.rows_read - first.2.rows_read, 39);
        // Each view is as one alone would be.
        let (desk, id) = (f.desk.clone(), Uuid::from_u128(7_000));
        let alone = f.db.read(move |tx| detail::read(&desk, tx, id, now)).await.unwrap().fault;
        let of_page = last.0.iter().find(|(position, _)| position.1 == id).map(|(_, view)| view);
        let text = |view: &FaultView| serde_json::to_value(view).unwrap();
        assert_eq!(of_page.map(text), Some(text(&alone)));
    })
    .await;
}
