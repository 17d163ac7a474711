//! Figures of a month that can be counted by hand, on both databases.

mod matters;

use std::sync::Arc;

use linewatch_shared::facts::{Callback, Channel, Report, Step, StepKind};
use linewatch_shared::sla::State;
use linewatch_shared::time::{HOUR_MS, MINUTE_MS, UnixMs};
use uuid::Uuid;

use super::figure::{Figure, RowKind, Section};
use super::group::Group;
use super::history::Learnt;
use super::make::{self, book};
use super::period::{Period, PeriodKind};
use super::rows::{self, Asked};
use super::{Published, ReportError, publish};
use crate::app::desk::report::{NewReport, TakenIn, report};
use crate::app::desk::step::{NewStep, step};
use crate::app::desk::{Channels, Desk, DeskError};
use crate::app::import;
use crate::app::packs::{self, PackSet};
use crate::app::quality::SampleRules;
use crate::db::testing::both;
use crate::db::{Db, DbError, Priority, Tx};
use crate::store::faults;

/// 2026-03-02T02:00:00Z, ten o'clock in the pack's time zone.
const TEN: UnixMs = UnixMs(1_772_416_800_000);
const MARCH: Period = Period::Month(2026, 3);
/// Everything that was closed is checked.
const RULES: SampleRules =
    SampleRules { share_percent: 100, at_least: 1, good_from: 80, zone: chrono_tz::Asia::Shanghai };
/// A day in April.
const APRIL: UnixMs = UnixMs(TEN.0 + 40 * 24 * HOUR_MS);
const CUSTOMERS: &str = "code,name,tier,region,manager,manager_email\nbank,Sample Bank,AAA,North,Manager A,a@example.com\n\
     mill,Sample Mill,standard,South,Manager B,b@example.com\n";
const LINES: &str = "code,customer\nL1,bank\nL2,bank\nL3,mill\nL4,bank\n";

struct Sample {
    db: Db,
    desk: Desk,
}

/// Minutes after ten.
fn at(minutes: i64) -> UnixMs {
    TEN + minutes * MINUTE_MS
}

impl Sample {
    async fn new(db: Db) -> Self {
        let packs = Arc::new(PackSet::load(None).unwrap());
        let long_ago = TEN - 365 * 24 * HOUR_MS;
        packs::store(&db, &packs, long_ago.0).await.unwrap();
        for file in [CUSTOMERS, LINES] {
            import::bytes(&db, &packs, file.as_bytes(), false, long_ago).await.unwrap();
        }
        let (link_base, noc_email) = (String::new(), String::new());
        let desk = Desk {
            packs: Arc::default(),
            channels: Channels::default(),
            link_base,
            noc_email,
            supervisors: Vec::new(),
            summary_day: 28,
        };
        Self { db, desk }
    }

    async fn fault(&self, line: &str, started_at: UnixMs) -> Uuid {
        let body = Report {
            line: line.to_owned(),
            channel: Channel::Hotline,
            reporter: "sample".to_owned(),
            description: String::new(),
        };
        let new =
            NewReport { id: Uuid::now_v7(), report: body, reported_at: started_at, by: "noc".to_owned() };
        let desk = self.desk.clone();
        let reported = self.db.write(Priority::Api, move |tx| report(&desk, tx, &new, started_at)).await;
        match reported.map_err(|e: DeskError| e.to_string()).unwrap() {
            TakenIn::Fault(reported) => reported.fault,
            TakenIn::Planned(work) => panic!("within planned work: {work:?}"),
        }
    }

    /// A step that is learnt as it happens.
    async fn step(&self, fault: Uuid, at: UnixMs, kind: StepKind) {
        self.late_step(fault, at, kind, at).await;
    }

    async fn late_step(&self, fault: Uuid, at: UnixMs, kind: StepKind, learnt_at: UnixMs) {
        let new = NewStep {
            id: Uuid::now_v7(),
            step: Step { fault, kind, note: None },
            occurred_at: at,
            by: "noc".to_owned(),
        };
        let desk = self.desk.clone();
        let taken = self.db.write(Priority::Api, move |tx| step(&desk, tx, &new, learnt_at)).await;
        taken.map_err(|e: DeskError| e.to_string()).unwrap();
    }

    async fn report(&self, period: Period, now: UnixMs) -> Result<Published, ReportError> {
        publish(&self.db, &self.desk.packs, (period, RULES), "tester", "json", now).await
    }

    /// Everything that March has. Answers the fault that runs into it from February.
    async fn march(&self) -> Uuid {
        let a = self.fault("L1", at(0)).await;
        self.step(a, at(5), StepKind::Acknowledged).await;
        self.step(a, at(20), StepKind::Feedback { reached: true }).await;
        self.step(a, at(60), StepKind::Restored).await;
        self.step(a, at(70), StepKind::Feedback { reached: true }).await;
        self.step(a, at(120), StepKind::Repaired).await;
        self.step(a, at(180), StepKind::Callback(Callback::Satisfied)).await;
        let b = self.fault("L2", at(0)).await;
        let pause = StepKind::Paused {
            cause: "customer_access".to_owned(),
            reason: "nobody at the gate".to_owned(),
            until: at(90),
            evidence: "call".to_owned(),
            grantor: "noc".to_owned(),
        };
        self.step(b, at(30), pause).await;
        self.step(b, at(165), StepKind::Restored).await;
        let c = self.fault("L3", at(0)).await;
        let cause = "customer_power".to_owned();
        self.step(c, at(60), StepKind::Exempted { cause, grantor: "noc".to_owned() }).await;
        self.step(c, at(13 * 60), StepKind::Restored).await;
        // 23:00 on the last day of February until 1:30.
        let d = self.fault("L4", at(-35 * 60)).await;
        self.step(d, at(-35 * 60 + 150), StepKind::Restored).await;
        d
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_is_what_one_counts_by_hand() {
    both(|db| async move {
        let sample = Sample::new(db).await;
        sample.march().await;
        let made = sample.report(MARCH, APRIL).await.unwrap();
        assert!(made.report.complete);
        let expected = [
            (Figure::Faults, 2),
            (Figure::Open, 0),
            (Figure::Restored, 3),
            (Figure::RestorationKept, 2),
            (Figure::RestorationKeptGross, 1),
            (Figure::RestorationMissed, 1),
            (Figure::RestorationNetMs, (60 + 105 + 150) * MINUTE_MS),
            (Figure::RestorationGrossMs, (60 + 165 + 150) * MINUTE_MS),
            (Figure::Answered, 1),
            (Figure::AnswerMs, 5 * MINUTE_MS),
            (Figure::AnswerKept, 0),
            (Figure::AnswerMissed, 0),
            (Figure::FeedbackKept, 2),
            // One of the first fault, five and "it is back" of the second, three and "it is back" of the last.
            (Figure::FeedbackMissed, 1 + 6 + 4),
            (Figure::RepairKept, 1),
            (Figure::RepairMissed, 2),
            (Figure::CallbackDone, 1),
            (Figure::CallbackSatisfied, 1),
            (Figure::CallbackUnsatisfied, 0),
            (Figure::CallbackKept, 1),
            (Figure::CallbackMissed, 0),
            (Figure::Missed, 14),
            (Figure::Exempted, 1),
            // Restoration, twelve hours of silence, "it is back", repair.
            (Figure::ExemptedMissed, 15),
            (Figure::InterruptionMs, (60 + 165 + 90) * MINUTE_MS),
            (Figure::ExemptMs, 13 * HOUR_MS),
            (Figure::Lines, 3),
            (Figure::RepeatNear, 0),
            (Figure::RepeatReached, 0),
            (Figure::InterruptionOver, 0),
            // The pack promises no availability.
            (Figure::ServiceMs, 0),
            (Figure::AvailableMs, 0),
            (Figure::AvailabilityKept, 0),
            (Figure::AvailabilityMissed, 0),
        ];
        let of_faults =
            Figure::ALL.iter().filter(|figure| matches!(figure.section(), Section::Faults | Section::Lines));
        assert_eq!(expected.len(), of_faults.count());
        for (figure, value) in expected {
            assert_eq!(made.report.total.get(figure), value, "{}", figure.name());
        }
        let february = sample.report(Period::Month(2026, 2), APRIL).await.unwrap().report.total;
        let of_february = |figure| february.get(figure);
        assert_eq!((of_february(Figure::Faults), of_february(Figure::Open)), (1, 1));
        assert_eq!((of_february(Figure::FeedbackMissed), of_february(Figure::Restored)), (1, 0));
        assert_eq!(of_february(Figure::InterruptionMs), 60 * MINUTE_MS);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_and_rows_add_up_to_the_figure() {
    both(|db| async move {
        let sample = Sample::new(db).await;
        sample.march().await;
        let packs = Arc::clone(&sample.desk.packs);
        let check = move |tx: &mut crate::db::Tx<'_>| {
            let book = book(&packs, tx, (MARCH, RULES), APRIL)?;
            let report = make::make(tx, &book, MARCH, &mut Learnt::default())?;
            let keys = |group| report.of(group).iter().map(|e| e.key.clone()).collect::<Vec<_>>();
            assert_eq!(keys(Group::Tier), ["group-line/AAA", "group-line/standard"]);
            assert_eq!(keys(Group::Customer), ["bank", "mill"]);
            assert_eq!(keys(Group::Manager), ["Manager A", "Manager B"]);
            assert_eq!(keys(Group::Region), ["North", "South"]);
            assert_eq!(keys(Group::Cause), ["group-line/customer_access", "group-line/customer_power"]);
            assert_eq!(keys(Group::Line), ["L1", "L2", "L3", "L4"]);
            for figure in Figure::ALL.iter().copied() {
                let counted = |group: &Group| *group != Group::Cause && group.has(figure.section());
                for group in Group::ALL.into_iter().filter(counted) {
                    let sum: i64 = report.of(group).iter().map(|entry| entry.figures.get(figure)).sum();
                    assert_eq!(sum, report.total.get(figure), "{} by {}", figure.name(), group.name());
                    for entry in report.of(group) {
                        let asked = Asked { figure, group: Some((group, entry.key.clone())) };
                        let values: Vec<i64> = match figure.rows() {
                            RowKind::Fault => rows::faults(tx, &book, &asked, None, 99)?
                                .iter()
                                .map(|(_, row)| row.value)
                                .collect(),
                            RowKind::Matter => rows::matters(tx, &book, &asked, None, 99)?
                                .iter()
                                .map(|(_, row)| row.value)
                                .collect(),
                            RowKind::Sample => rows::samples(tx, &book, MARCH, &asked, None, 99)?
                                .iter()
                                .map(|(_, row)| row.value)
                                .collect(),
                            RowKind::Day => unreachable!("no group has days"),
                            RowKind::Line => rows::lines(tx, &book, MARCH, &asked, None, 99)?
                                .iter()
                                .map(|row| row.value)
                                .collect(),
                        };
                        let sum: i64 = values.iter().sum();
                        assert_eq!(sum, entry.figures.get(figure), "{} of {}", figure.name(), entry.key);
                    }
                }
            }
            let asked = Asked { figure: Figure::Missed, group: None };
            let first = rows::faults(tx, &book, &asked, None, 1)?;
            let rest = rows::faults(tx, &book, &asked, Some(first[0].0), 9)?;
            assert_eq!(first.iter().chain(&rest).map(|(_, row)| row.value).sum::<i64>(), 14);
            Ok::<_, ReportError>(())
        };
        sample.db.read(check).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_later_facts_change_is_told_with_the_time_of_learning() {
    both(|db| async move {
        let sample = Sample::new(db).await;
        let fault = sample.march().await;
        let first = sample.report(MARCH, APRIL).await.unwrap();
        let again = sample.report(MARCH, APRIL + HOUR_MS).await.unwrap();
        assert_eq!((first.versions.len(), again.versions.len()), (1, 1));
        assert_eq!(first.sha256, again.sha256);
        assert!(first.versions[0].changes.is_empty());
        // Mended in time, as it turns out in May.
        let learnt_at = APRIL + 30 * 24 * HOUR_MS;
        sample.late_step(fault, at(0), StepKind::Repaired, learnt_at).await;
        let changed = sample.report(MARCH, learnt_at + HOUR_MS).await.unwrap();
        assert_ne!(changed.sha256, first.sha256);
        let version = changed.versions.last().unwrap();
        let of = |group: &str, figure: &str| {
            let found =
                version.changes.iter().find(|change| change.group == group && change.figure == figure);
            found.map(|c| (c.key.clone(), c.before, c.after, c.learnt_at.clone())).unwrap()
        };
        let told = Some(learnt_at.to_rfc3339());
        assert_eq!(of("total", "repair_kept"), (String::new(), 1, 2, told.clone()));
        assert_eq!(of("total", "repair_missed"), (String::new(), 2, 1, told.clone()));
        assert_eq!(of("customer", "repair_kept"), ("bank".to_owned(), 1, 2, told));
        // The next one still tells of it, and makes nothing new.
        let later = sample.report(MARCH, learnt_at + 2 * HOUR_MS).await.unwrap();
        assert_eq!(later.versions, changed.versions);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_is_kept_only_once_it_is_over() {
    both(|db| async move {
        let sample = Sample::new(db).await;
        sample.march().await;
        let ahead = sample.report(MARCH, TEN - 40 * 24 * HOUR_MS).await.unwrap_err();
        assert!(matches!(ahead, ReportError::NotBegun(MARCH)), "{ahead}");
        let running = sample.report(MARCH, at(100)).await.unwrap();
        assert!(!running.report.complete && running.versions.is_empty());
        assert_eq!(running.report.total.get(Figure::RepairMissed), 0);
        for (kind, name) in [(PeriodKind::Quarter, "2026-Q1"), (PeriodKind::Year, "2026")] {
            let period = Period::parse(kind, name).unwrap();
            let made = sample.report(period, APRIL).await.unwrap();
            assert_eq!(made.report.total.get(Figure::Faults), 3, "{name}");
            assert_eq!(made.report.complete, kind == PeriodKind::Quarter);
        }
    })
    .await;
}

/// Whether a fault that facts took away was ever known depends on the order in which they came.
#[tokio::test(flavor = "multi_thread")]
async fn what_later_facts_took_away_is_in_no_sample() {
    both(|db| async move {
        let sample = Sample::new(db).await;
        let fault = sample.fault("L1", at(0)).await;
        for kind in [StepKind::Restored, StepKind::Repaired, StepKind::Callback(Callback::Satisfied)] {
            sample.step(fault, at(60), kind).await;
        }
        let drawn = async || {
            let made = sample.report(MARCH, APRIL).await.unwrap();
            made.report.total.get(Figure::SamplesDrawn)
        };
        assert_eq!(drawn().await, 1);
        let gone = move |tx: &mut Tx<'_>| {
            let mut state = faults::one(tx, fault)?.unwrap();
            state.fault.state = State::Withdrawn;
            let saved = faults::Saved { state, owed: Vec::new(), joins_until: at(60), wait_until: None };
            faults::save(tx, &[saved], at(90))
        };
        let gone: Result<(), DbError> = sample.db.write(Priority::Api, gone).await;
        gone.unwrap();
        assert_eq!(drawn().await, 0);
    })
    .await;
}
