//! Alerts on both databases: told once, climbed until somebody takes them, kept back in the night.

use linewatch_shared::facts::StepKind;
use linewatch_shared::time::{DAY_MS, MINUTE_MS, UnixMs};
use uuid::Uuid;

use super::climb::{Climbed, round};
use super::view::{AlertView, of_subject};
use crate::app::desk::tests::{Fixture, TEN, minute};
use crate::db::testing::both;
use crate::db::{DbError, Priority, Tx, Work};
use crate::notify::Letter;
use crate::notify::text::Writer;
use crate::store::alerts::{self, StoredAlert};
use crate::store::packs;

/// Mails about the restoration, as `key's mark and step > address`.
const MAILS: &str = "SELECT key FROM outbox WHERE key LIKE '%/restoration/%' ORDER BY n";

pub(super) async fn climb(f: &Fixture, now: UnixMs) -> Climbed {
    let desk = f.desk.clone();
    f.db.write(Priority::Engine, move |tx| round(&desk, tx, now)).await.unwrap()
}

async fn mails(f: &Fixture) -> Vec<String> {
    let short = |key: String| key.split_once("/first/").map(|(_, rest)| rest.to_owned()).unwrap_or(key);
    f.texts(MAILS).await.into_iter().map(short).collect()
}

pub(super) async fn views(f: &Fixture, fault: Uuid) -> Vec<AlertView> {
    let views: Result<_, DbError> = f.db.read(move |tx| of_subject(tx, fault, false, minute(500))).await;
    views.unwrap().into_iter().filter(|alert| alert.kind == "restoration").collect()
}

/// A fault whose restoration was missed at two hours, told a second later.
pub(super) async fn missed(f: &Fixture) -> Uuid {
    let fault = f.report("L1", TEN, TEN).await.unwrap().fault;
    f.engine(minute(120) + 1_000).await;
    fault
}

const TOLD: &str = "missed/0/email/a@example.com";
const AGAIN: &str = "missed/0/rung1/email/noc@example.com";
const UP: &str = "missed/0/rung2/email/head@example.com";

#[tokio::test(flavor = "multi_thread")]
async fn a_ladder_is_climbed_once_whoever_climbs_and_ends_at_its_top() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let fault = missed(&f).await;
        assert_eq!(mails(&f).await, [TOLD]);
        climb(&f, minute(135)).await;
        assert_eq!(mails(&f).await, [TOLD], "a quarter of an hour is not over");
        // Two nodes at once; nobody is on duty, so the desk is told.
        let _ = tokio::join!(climb(&f, minute(136)), climb(&f, minute(136)));
        assert_eq!(mails(&f).await, [TOLD, AGAIN]);
        assert!(views(&f, fault).await[0].next_at.is_some());
        // After an absence of hours the last step is climbed once too; then nothing is left.
        for at in [400, 400, 401] {
            climb(&f, minute(at)).await;
        }
        assert_eq!(mails(&f).await, [TOLD, AGAIN, UP]);
        let view = views(&f, fault).await.remove(0);
        assert_eq!((view.rung, view.next_at, view.acknowledged.is_none()), (2, None, true));
        let told: Vec<(i64, Option<String>)> =
            view.told.into_iter().map(|told| (told.rung, told.to)).collect();
        let to = |who: &str| Some(who.to_owned());
        assert_eq!(told, [(0, to("Manager A")), (1, to("noc@example.com")), (2, to("head@example.com"))]);
        let last = f.texts("SELECT alert FROM outbox WHERE rung = 2").await.remove(0);
        let text = Writer::new(crate::config::AlertLang::En).unwrap();
        let text = text.letter(&Letter::read(&last).unwrap(), minute(400));
        assert!(text.subject.contains("not taken: restoration"), "{}", text.subject);
        assert!(
            text.plain.contains("Nobody has taken this for 4 h 40 min.")
                && text.plain.contains("as a supervisor")
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_something_or_is_done_ends_the_ladder() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let fault = missed(&f).await;
        f.step(fault, StepKind::Dispatched, minute(125), minute(125)).await.unwrap();
        let taken = views(&f, fault).await.remove(0).acknowledged.unwrap();
        assert_eq!(
            (taken.by.as_deref(), taken.how.as_str()),
            (Some("noc"), "desk"),
            "before any round has looked"
        );
        climb(&f, minute(136)).await;
        assert_eq!(mails(&f).await, [TOLD]);
        assert_eq!(views(&f, fault).await[0].acknowledged.as_ref().unwrap().at, minute(125).to_rfc3339());
        // What was done before the alert shows nothing about it.
        let other = f.report("L2", TEN, minute(121)).await.unwrap().fault;
        f.step(other, StepKind::Dispatched, minute(100), minute(122)).await.unwrap();
        climb(&f, minute(137)).await;
        assert_eq!(mails(&f).await.len(), 3);
        f.step(other, StepKind::Restored, minute(139), minute(139)).await.unwrap();
        climb(&f, minute(200)).await;
        let restored = views(&f, other).await;
        assert_eq!(mails(&f).await.len(), 3, "{restored:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn taking_one_alert_ends_every_ladder_of_the_fault_and_stays_with_who_came_first() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let fault = missed(&f).await;
        let key = views(&f, fault).await[0].key.clone();
        let take = |by: &'static str, at: UnixMs| {
            let key = key.clone();
            f.db.write(Priority::Api, move |tx| {
                super::take::by_user(tx, &key, (by, &crate::store::scope::Scope::Everything), at)
            })
        };
        let (first, second) =
            (take("ann", minute(122)).await.unwrap(), take("bob", minute(123)).await.unwrap());
        assert!(first.fresh && !second.fresh);
        assert_eq!((second.by.as_str(), second.at), ("ann", minute(122)));
        climb(&f, minute(300)).await;
        assert_eq!(mails(&f).await, [TOLD]);
        assert_eq!(f.texts("SELECT who FROM audit WHERE action = 'alert acknowledged'").await, ["ann"]);
    })
    .await;
}

/// The shipped pack of lines with something added, in force from the beginning of the desk.
pub(super) async fn with_rules(f: &Fixture, added: &'static str) {
    let shipped = linewatch_shared::rules::SHIPPED.iter().find(|(file, _)| *file == "group-line.toml");
    let text = shipped.unwrap().1.replace("\"2026.1\"", "\"2026.9\"") + added;
    let keep = move |tx: &mut Tx<'_>| {
        let (name, version, sha256) = ("group-line", "2026.9", "other");
        let valid_from_ms = (TEN - 300 * DAY_MS).0;
        packs::insert(tx, &packs::NewVersion { name, version, sha256, text: &text, valid_from_ms })
    };
    f.db.write(Priority::Api, keep).await.unwrap();
}

pub(super) const QUIET: &str = "\n[quiet]\nhours = \"11:30-13:30\"\nexcept_tiers = [\"standard\"]\n";

#[tokio::test(flavor = "multi_thread")]
async fn in_quiet_hours_the_manager_sleeps_and_hears_in_the_morning_once() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        with_rules(&f, QUIET).await;
        let fault = f.report("L1", TEN, TEN).await.unwrap().fault;
        for at in [60, 96, 121] {
            f.engine(minute(at)).await;
        }
        assert_eq!(mails(&f).await, ["warn_50/0/email/a@example.com"]);
        let done = climb(&f, minute(137)).await;
        assert_eq!(mails(&f).await.last().unwrap(), AGAIN, "the desk is not spared");
        assert!(done.next.is_some_and(|next| next < minute(210)));
        f.step(fault, StepKind::Restored, minute(140), minute(140)).await.unwrap();
        climb(&f, minute(209)).await;
        assert_eq!(mails(&f).await.len(), 2);
        for at in [210, 210] {
            climb(&f, minute(at)).await;
        }
        assert_eq!(mails(&f).await[2..], ["missed/0/email/a@example.com"], "one for both marks");
        let mail =
            f.texts("SELECT alert FROM outbox WHERE key LIKE '%/restoration/first/missed/0/email/a@%'").await;
        let writer = Writer::new(crate::config::AlertLang::En).unwrap();
        let text = writer.letter(&Letter::read(&mail[0]).unwrap(), minute(210));
        let said = "overnight, restoration: 80 % used 11:36; missed 12:00; done 12:20";
        assert!(text.subject.ends_with(said), "{}", text.subject);
        assert!(!text.plain.contains("over\n"), "{}", text.plain);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warning_of_the_night_that_was_kept_is_told_as_kept() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        with_rules(&f, QUIET).await;
        let fault = f.report("L1", TEN, TEN).await.unwrap().fault;
        f.engine(minute(96)).await;
        f.step(fault, StepKind::Restored, minute(100), minute(101)).await.unwrap();
        climb(&f, minute(211)).await;
        let mail = f.texts("SELECT alert FROM outbox WHERE key LIKE '%/restoration/first/warn_80/0/%'").await;
        let writer = Writer::new(crate::config::AlertLang::Zh).unwrap();
        let text = writer.letter(&Letter::read(&mail[0]).unwrap(), minute(211));
        assert!(text.subject.ends_with("夜间情况，抢通：11:36 已用 80%；11:40 完成"), "{}", text.subject);
        // The mill's tier wakes its manager all the same; nobody is known there, which is seen at once.
        f.report("L3", TEN - 300 * MINUTE_MS, minute(120)).await.unwrap();
        f.engine(minute(121)).await;
        let dead =
            f.texts("SELECT key FROM outbox WHERE state = 'dead' AND key LIKE '%/restoration/%'").await;
        assert!(!dead.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_s_entry_says_who_hears_of_what() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        with_rules(
            &f,
            "[[alert]]\non = [\"met_late\"]\nto = [\"manager\"]\n[[alert]]\non = [\"warning\"]\ntiers = [\"AAA\"]\nto = []\n",
        )
        .await;
        let fault = missed(&f).await;
        f.step(fault, StepKind::Restored, minute(130), minute(130)).await.unwrap();
        assert_eq!(mails(&f).await, [TOLD, "met_late/0/email/a@example.com"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_costs_what_is_due_among_thousands_that_are_not() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        missed(&f).await;
        let cost = async |at: UnixMs| -> Work {
            let desk = f.desk.clone();
            let work = move |tx: &mut Tx<'_>| {
                round(&desk, tx, at)?;
                Ok::<_, DbError>(tx.work())
            };
            f.db.write(Priority::Engine, work).await.unwrap()
        };
        let alone = cost(minute(136)).await;
        let waiting: Vec<StoredAlert> = (0..5_000)
            .map(|n| StoredAlert {
                key: format!("{n}/restoration/first/missed/0"),
                subject: Uuid::from_u128(n),
                of_matter: false,
                kind: "restoration".to_owned(),
                period: "first".to_owned(),
                mark: "missed".to_owned(),
                at: TEN,
                due_at: TEN,
                late: false,
                began_at: TEN,
                ladder: Vec::new(),
                rung: 0,
                next_at: Some(minute(10_000)),
                ended: None,
                taken: None,
            })
            .collect();
        f.db.write(Priority::Api, move |tx| alerts::insert(tx, &waiting)).await.unwrap();
        let among = cost(minute(151)).await;
        assert!(
            among.statements <= alone.statements && among.rows_written <= alone.rows_written,
            "{among:?}"
        );
        assert!(among.rows_read <= alone.rows_read + 4, "{among:?} after {alone:?}");
        assert!(among.steps <= 2 * alone.steps + 200, "{among:?} after {alone:?}");
        assert_eq!(cost(minute(152)).await.rows_written, 0);
    })
    .await;
}
