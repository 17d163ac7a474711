//! Planned work: what falls into it, what overruns it, and what changes when it is learnt late or called off.

use std::collections::BTreeSet;

use linewatch_shared::sla::Window;
use linewatch_shared::time::DAY_MS;

use super::super::planned::{self, NewWork, WorkDetail};
use super::*;
use crate::db::testing::{both, int};
use crate::store::planned::Work;

/// Work on lines, from a minute to a minute, applied for two days before and announced a day before.
fn on(lines: &[&str], from: i64, to: i64) -> NewWork {
    let (applied_at, announced_at) = (minute(from) - 2 * DAY_MS, Some(minute(from) - DAY_MS));
    let window = Window { id: Uuid::now_v7(), from: minute(from), to: minute(to), applied_at, announced_at };
    let lines: BTreeSet<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    NewWork { window, reason: "cut-over".to_owned(), lines, upstream: None, by: "noc".to_owned() }
}

impl Fixture {
    async fn plan(&self, new: NewWork, now: UnixMs) -> Result<Work, DeskError> {
        let desk = self.desk.clone();
        self.db.write(Priority::Api, move |tx| planned::plan(&desk, tx, &new, now)).await
    }

    async fn work_round(&self, now: UnixMs) -> usize {
        let desk = self.desk.clone();
        self.db.write(Priority::Engine, move |tx| planned::round(&desk, tx, now)).await.unwrap()
    }

    async fn work(&self, id: Uuid) -> WorkDetail {
        let desk = self.desk.clone();
        self.db
            .read(move |tx| planned::read(&desk, tx, &crate::store::scope::Scope::Everything, id))
            .await
            .unwrap()
    }

    async fn faults(&self) -> Vec<String> {
        self.texts("SELECT line || ' ' || state FROM fault ORDER BY started_at_ms, line").await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn inside_announced_work_nothing_is_opened_and_its_overrun_is() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let work = f.plan(on(&["L1", "L2"], 10, 60), minute(0)).await.unwrap();
        let device = Device::right();
        let mut records = vec![
            device.clock(1, TEN),
            device.line(10, "L1", minute(15), LineState::Down),
            device.line(20, "L2", minute(15), LineState::Down),
        ];
        f.push(&records, minute(16)).await;
        let new = new_report("L1", minute(20));
        let (desk, tied) = (f.desk.clone(), new.clone());
        let taken = f.db.write(Priority::Api, move |tx| report::report(&desk, tx, &tied, minute(20))).await;
        assert!(matches!(taken.unwrap(), TakenIn::Planned(of) if of.window.id == work.window.id));
        assert!(f.faults().await.is_empty());
        assert_eq!(f.line_state("L1", minute(30)).await, "planned_work");
        let chain = chain_after(&records);
        records.push(device.line(21, "L2", minute(50), LineState::Up));
        f.push_from(4, chain, &records[3..], minute(51)).await;
        assert_eq!(f.work_round(minute(60)).await, 0, "agents are given time to tell what came back");
        assert_eq!(f.work_round(minute(61)).await, 1);
        assert_eq!(f.work_round(minute(61)).await, 0);
        assert_eq!(f.faults().await, ["L1 open"]);
        let fault = f.fault(new.id, minute(70)).await;
        assert_eq!(fault.fault.started_at, minute(60).to_rfc3339());
        assert_eq!(fault.fault.interruption.ms, 10 * MINUTE_MS);
        assert_eq!(
            fault.facts.iter().map(|fact| fact.kind.as_str()).collect::<Vec<_>>(),
            ["down", "reported"]
        );
        let read = f.work(work.window.id).await;
        assert_eq!((read.work.exempt, read.lines.len(), read.reports.len()), (true, 2, 1));
        // The line goes on as any other.
        f.step(new.id, StepKind::Restored, minute(75), minute(75)).await.unwrap();
        assert_eq!(f.faults().await, ["L1 restored"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_learnt_late_withdraws_and_one_called_off_brings_back() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let device = Device::right();
        f.push(&[device.clock(1, TEN), device.line(10, "L1", minute(15), LineState::Down)], minute(16)).await;
        assert_eq!(f.faults().await, ["L1 open"]);
        let work = f.plan(on(&["L1"], 10, 60), minute(20)).await.unwrap();
        assert_eq!(f.faults().await, ["L1 withdrawn"]);
        assert_eq!(f.fault(Uuid::from_u128(10), minute(21)).await.fault.repeat.count, 0);
        let (desk, id) = (f.desk.clone(), work.window.id);
        let cancel = move |tx: &mut crate::db::Tx<'_>| planned::cancel(&desk, tx, id, "noc", minute(25));
        f.db.write(Priority::Api, cancel.clone()).await.unwrap();
        assert_eq!(f.faults().await, ["L1 open"]);
        assert_eq!(f.fault(Uuid::from_u128(10), minute(26)).await.fault.started_at, minute(15).to_rfc3339());
        let again = f.db.write(Priority::Api, cancel).await.unwrap_err();
        assert!(matches!(again, DeskError::Impossible { .. }), "{again}");
        let audited = "SELECT COUNT(*) FROM audit WHERE action LIKE 'planned work %'";
        assert_eq!(int(&f.db, audited).await.unwrap(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_announced_exempts_nothing_until_it_is_and_only_before_its_start() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let mut new = on(&["L1"], 10, 60);
        new.window.announced_at = None;
        let work = f.plan(new, minute(0)).await.unwrap();
        let read = f.work(work.window.id).await.work;
        assert_eq!(read.not_exempt_because.as_deref(), Some("it was not announced to the customers"));
        let device = Device::right();
        f.push(&[device.clock(1, TEN), device.line(10, "L1", minute(15), LineState::Down)], minute(16)).await;
        let (desk, id) = (f.desk.clone(), work.window.id);
        let late =
            move |tx: &mut crate::db::Tx<'_>| planned::announce(&desk, tx, id, minute(20), "noc", minute(20));
        f.db.write(Priority::Api, late).await.unwrap();
        assert_eq!(f.faults().await, ["L1 open"], "announced after its start");
        assert!(!f.work(id).await.work.exempt);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_planned_is_refused_and_changes_nothing() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let backwards = f.plan(on(&["L1"], 60, 10), minute(0)).await.unwrap_err();
        assert!(matches!(backwards, DeskError::Invalid { field: "to", .. }), "{backwards}");
        let endless = f.plan(on(&["L1"], 0, 15 * 24 * 60), minute(0)).await.unwrap_err();
        assert!(matches!(endless, DeskError::Invalid { field: "to", .. }), "{endless}");
        let nowhere = f.plan(on(&["L9"], 0, 10), minute(0)).await.unwrap_err();
        assert!(matches!(nowhere, DeskError::NoLine(_)), "{nowhere}");
        let no_node = NewWork { upstream: Some("node".to_owned()), ..on(&[], 0, 10) };
        let no_node = f.plan(no_node, minute(0)).await.unwrap_err();
        assert!(matches!(no_node, DeskError::Invalid { field: "upstream", .. }), "{no_node}");
        let mut ahead = on(&["L1"], 60, 70);
        ahead.window.applied_at = minute(20);
        let ahead = f.plan(ahead, minute(0)).await.unwrap_err();
        assert!(matches!(ahead, DeskError::Invalid { field: "applied_at", .. }), "{ahead}");
        assert_eq!(int(&f.db, "SELECT COUNT(*) FROM planned_work").await.unwrap(), 0);
    })
    .await;
}
