//! The day's list is kept once, and mailed to whom it concerns.

use linewatch_shared::matter::MatterStep;
use linewatch_shared::time::HOUR_MS;

use super::*;
use crate::app::desk::tests::{Fixture, TEN};
use crate::app::people;
use crate::config::AlertLang;
use crate::db::Priority;
use crate::db::testing::{both, int};
use crate::notify::letter::Letter;
use crate::notify::text::Writer;
use crate::store::people::Absence;

const ZONE: Tz = chrono_tz::Asia::Shanghai;

#[tokio::test(flavor = "multi_thread")]
async fn the_day_s_list_is_kept_once_and_at_its_hour() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        f.report("L1", TEN, TEN).await.unwrap();
        f.report("L3", TEN, TEN).await.unwrap();
        let keep_at = |at: UnixMs| {
            let desk = f.desk.clone();
            f.db.write(Priority::Ingest, move |tx| keep(&desk, tx, (ZONE, 18 * 60), at))
        };
        keep_at(TEN + 7 * HOUR_MS).await.unwrap();
        assert_eq!(int(&f.db, "SELECT COUNT(*) FROM daily_list").await.unwrap(), 0, "not before 18:00");
        for hours in [8, 9] {
            keep_at(TEN + hours * HOUR_MS).await.unwrap();
        }
        let day = |day: &'static str| {
            let found = f.db.read(move |tx| kept(tx, day));
            async {
                let found: Result<_, DbError> = found.await;
                found.unwrap()
            }
        };
        let list = day("2026-03-02").await.unwrap();
        assert_eq!(list.as_of, (TEN + 8 * HOUR_MS).to_rfc3339());
        let owners: Vec<_> =
            list.owners.iter().map(|o| (o.owner.as_str(), o.open, o.overdue, o.untouched)).collect();
        assert_eq!(owners, [("", 1, 1, 0), ("Manager A", 1, 1, 0)]);
        keep_at(TEN + 32 * HOUR_MS).await.unwrap();
        assert_eq!(day("2026-03-03").await.unwrap().owners[1].untouched, 1);
        assert!(day("2026-03-04").await.is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_owner_gets_one_mail_a_day_and_the_desk_the_whole() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        f.report("L3", TEN, TEN).await.unwrap();
        let told = f.complaint("minor", None, TEN, TEN).await.unwrap();
        f.complaint("minor", None, TEN, TEN).await.unwrap();
        // The next day one customer was told how it stands, the other was not.
        let next = TEN + DAY_MS;
        f.matter_step(told, MatterStep::Told { reached: true }, next - 1, next).await.unwrap();
        f.rounds(next + HOUR_MS).await;
        let keep_at = |at: UnixMs| {
            let desk = f.desk.clone();
            f.db.write(Priority::Ingest, move |tx| keep(&desk, tx, (ZONE, 18 * 60), at))
        };
        // Two nodes at once, and one that was started again.
        let (one, other) = tokio::join!(keep_at(next + 8 * HOUR_MS), keep_at(next + 8 * HOUR_MS));
        one.and(other).unwrap();
        keep_at(next + 9 * HOUR_MS).await.unwrap();
        let sql = "SELECT destination FROM outbox WHERE key LIKE 'daily/%' ORDER BY destination";
        assert_eq!(f.texts(sql).await, ["a@example.com", "noc@example.com"]);
        let sql = "SELECT alert FROM outbox WHERE key LIKE 'daily/%' ORDER BY destination";
        let letters: Vec<Letter> =
            f.texts(sql).await.iter().map(|text| Letter::read(text).unwrap()).collect();
        let [Letter::Day(own), Letter::Day(whole)] = letters.as_slice() else { panic!("{letters:?}") };
        let counts = (own.owners.len(), own.owners[0].open, own.owners[0].word_owed, own.whole);
        assert_eq!(counts, (1, 2, 1, false));
        let owners: Vec<_> =
            whole.owners.iter().map(|o| (o.name.as_str(), o.mailed, o.items.len())).collect();
        assert_eq!(owners, [("", false, 1), ("Manager A", true, 2)]);
        let text = Writer::new(AlertLang::En).unwrap().day(own);
        assert_eq!(
            text.subject,
            "Day's list 2026-03-03: 2 open, 2 overdue, 1 untouched for a day, 1 owed a word today"
        );
        assert!(text.plain.contains("- Complaint bank, open, since 03-02 10:00; "), "{}", text.plain);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_that_began_after_the_hour_has_no_list_of_that_day() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let began =
            move |tx: &mut Tx<'_>| tx.execute("UPDATE customer SET created_at_ms = $1", &[TEN.into()]);
        f.db.write(Priority::Api, began).await.unwrap();
        for (at, days) in [(TEN, 0), (TEN + 13 * HOUR_MS, 0), (TEN + 23 * HOUR_MS, 1)] {
            let desk = f.desk.clone();
            f.db.write(Priority::Ingest, move |tx| keep(&desk, tx, (ZONE, 9 * 60), at)).await.unwrap();
            assert_eq!(int(&f.db, "SELECT COUNT(*) FROM daily_list").await.unwrap(), days);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_an_owner_is_away_the_deputy_gets_the_list_too_and_is_told_for_whom() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let set =
            "UPDATE customer SET deputy = 'Deputy B', deputy_email = 'b@example.com' WHERE code = 'bank'";
        f.db.write(Priority::Api, move |tx| tx.execute(set, &[])).await.unwrap();
        f.complaint("minor", None, TEN, TEN).await.unwrap();
        let back_at = TEN + DAY_MS;
        let absence = |person: &str| Absence {
            id: Uuid::now_v7(),
            person: person.to_owned(),
            from: TEN,
            until: back_at,
            reason: String::new(),
            by: "noc".to_owned(),
        };
        let away = absence("Manager A");
        f.db.write(Priority::Api, move |tx| people::away(tx, &away, TEN)).await.unwrap();
        let keep_at = async |at: UnixMs| {
            let desk = f.desk.clone();
            f.db.write(Priority::Ingest, move |tx| keep(&desk, tx, (ZONE, 18 * 60), at)).await.unwrap();
            let sql = "SELECT destination FROM outbox WHERE key LIKE 'daily/%' ORDER BY destination";
            f.texts(sql).await
        };
        let all = ["a@example.com", "b@example.com", "noc@example.com"];
        assert_eq!(keep_at(TEN + 8 * HOUR_MS).await, all);
        let sql = "SELECT alert FROM outbox WHERE key LIKE 'daily/%' ORDER BY destination";
        let letters: Vec<Letter> =
            f.texts(sql).await.iter().map(|text| Letter::read(text).unwrap()).collect();
        let [Letter::Day(own), Letter::Day(deputy), Letter::Day(whole)] = letters.as_slice() else {
            panic!("{letters:?}")
        };
        assert_eq!((own.owners[0].away_until, deputy.owners[0].away_until), (None, Some(back_at)));
        assert_eq!((deputy.owners[0].name.as_str(), deputy.owners[0].items.len()), ("Manager A", 1));
        let text = |letter| Writer::new(AlertLang::En).unwrap().day(letter).plain;
        let told = "For Manager A, away until 03-03 10:00, for whom you stand in: 1 open";
        assert!(text(deputy).contains(told), "{}", text(deputy));
        assert!(text(whole).contains("Manager A (away until 03-03 10:00): 1 open"), "{}", text(whole));
        // Back: the next day's goes to the owner alone again.
        let next = keep_at(back_at + 8 * HOUR_MS).await;
        assert_eq!(next.iter().filter(|to| *to == "b@example.com").count(), 1, "{next:?}");
        // With both away it stays with the owner, and with the desk.
        for person in ["Manager A", "Deputy B"] {
            let away = Absence { until: back_at + 3 * DAY_MS, ..absence(person) };
            f.db.write(Priority::Api, move |tx| people::away(tx, &away, back_at)).await.unwrap();
        }
        let last = keep_at(back_at + 32 * HOUR_MS).await;
        assert_eq!(last.iter().filter(|to| *to == "b@example.com").count(), 1, "{last:?}");
    })
    .await;
}
