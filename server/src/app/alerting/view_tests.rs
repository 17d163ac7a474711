//! What people read of alerts, and what ends them, on both databases.

use linewatch_shared::detector::LineState::{Down, Up};
use linewatch_shared::facts::StepKind;
use linewatch_shared::time::{MINUTE_MS, UnixMs};
use uuid::Uuid;

use super::tests::{QUIET, climb, missed, views, with_rules};
use crate::app::desk::allowances;
use crate::app::desk::tests::{Device, Fixture, TEN, chain_after, minute};
use crate::db::Priority;
use crate::db::testing::both;

/// What quiet hours keep back.
type Kept = (String, Option<String>, Option<String>);

#[tokio::test(flavor = "multi_thread")]
async fn what_quiet_hours_keep_back_is_shown_until_it_goes_out() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        with_rules(&f, QUIET).await;
        let fault = missed(&f).await;
        let told = async || -> Vec<Kept> {
            let found = views(&f, fault).await.into_iter().find(|alert| alert.mark == "missed").unwrap();
            found.told.into_iter().map(|told| (told.state, told.to, told.until)).collect()
        };
        let manager = || Some("Manager A".to_owned());
        assert_eq!(told().await, [("held".to_owned(), manager(), Some(minute(210).to_rfc3339()))]);
        climb(&f, minute(211)).await;
        let told = told().await;
        assert!(told.contains(&("pending".to_owned(), manager(), None)), "{told:?}");
        assert!(told.iter().all(|(state, _, _)| state != "held"), "{told:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_stays_with_a_fault_that_turns_out_to_have_begun_earlier() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let fault = missed(&f).await;
        let key = views(&f, fault).await[0].key.clone();
        let now = f.report("L1", TEN - 5 * MINUTE_MS, minute(121)).await.unwrap().fault;
        assert_ne!(now, fault);
        for id in [fault, now] {
            assert!(views(&f, id).await.iter().any(|alert| alert.key == key), "{id}");
        }
        // Whoever takes it takes what was told of it under either id.
        let take = move |tx: &mut crate::db::Tx<'_>| {
            super::take::by_user(tx, &key, ("ann", &crate::store::scope::Scope::Everything), minute(122))
        };
        f.db.write(Priority::Api, take).await.unwrap();
        let open = "SELECT key FROM alert WHERE next_at_ms IS NOT NULL";
        assert_eq!(f.texts(open).await, Vec::<String>::new());
    })
    .await;
}

const OF_THE_YEAR: &str = "[[alert]]\non = [\"warning\", \"missed\"]\nkinds = [\"interruption\"]\nto = [\"manager\"]\n\
     then = [{ after = \"15m\", to = [\"noc\"] }, { after = \"3h\", to = [\"supervisor\"] }]\n";

/// The engine looks at allowances.
async fn look(f: &Fixture, now: UnixMs) {
    let desk = f.desk.clone();
    f.db.write(Priority::Engine, move |tx| allowances::round(&desk, tx, now)).await.unwrap();
}

/// Mails about the year's interruption, as mark, and step where it is one.
async fn of_the_year(f: &Fixture) -> Vec<String> {
    let keys = f.texts("SELECT key FROM outbox WHERE key LIKE '%/interruption/%' ORDER BY n").await;
    let short = |key: &String| {
        let parts: Vec<&str> = key.split('/').collect();
        let step = parts.iter().find(|part| part.starts_with("rung")).map_or("", |rung| rung);
        format!("{} {step}", parts[3]).trim().to_owned()
    };
    keys.iter().map(short).collect()
}

async fn ended(f: &Fixture) -> Vec<String> {
    f.texts(
        "SELECT mark || ' ' || COALESCE(ended, '-') FROM alert WHERE kind = 'interruption' ORDER BY began_at_ms",
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ladder_about_the_year_s_interruption_ends_with_the_miss_and_with_its_correction() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        with_rules(&f, OF_THE_YEAR).await;
        let device = Device::right();
        let records = [device.clock(1, TEN), device.line(2, "L1", TEN, Down)];
        f.push(&records, minute(1)).await;
        // Half of six hours.
        look(&f, minute(181)).await;
        climb(&f, minute(197)).await;
        assert_eq!(of_the_year(&f).await, ["warn_50", "warn_50 rung1"], "it runs: nobody has taken it");
        // Back after five hours: of the year enough is left, and what was warned of is as true as before.
        let back = [device.line(3, "L1", minute(300), Up)];
        f.push_from(3, chain_after(&records), &back, minute(301)).await;
        look(&f, minute(301)).await;
        assert_eq!(of_the_year(&f).await, ["warn_50", "warn_50 rung1", "warn_80"]);
        climb(&f, minute(317)).await;
        assert_eq!(of_the_year(&f).await.last().unwrap(), "warn_80 rung1");
        // Out again, and used up: the warnings' ladders end, the miss has one of its own.
        let all: Vec<Vec<u8>> = records.iter().chain(&back).cloned().collect();
        let again = [device.line(4, "L1", minute(320), Down)];
        f.push_from(4, chain_after(&all), &again, minute(321)).await;
        look(&f, minute(381)).await;
        climb(&f, minute(600)).await;
        climb(&f, minute(600)).await;
        let told = of_the_year(&f).await;
        assert_eq!(told[4..], ["missed", "missed rung1", "missed rung2"], "{told:?}");
        assert_eq!(ended(&f).await, ["warn_50 overtaken", "warn_80 overtaken", "missed -"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_further_of_a_miss_that_was_corrected() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        with_rules(&f, OF_THE_YEAR).await;
        let device = Device::right();
        f.push(&[device.clock(1, TEN), device.line(2, "L1", TEN, Down)], minute(1)).await;
        look(&f, minute(361)).await;
        // A fault's id is that of its first opening fact.
        let fault = Uuid::from_u128(2);
        let cause = StepKind::Exempted { cause: "customer_power".to_owned(), grantor: "head".to_owned() };
        f.step(fault, cause, minute(365), minute(365)).await.unwrap();
        look(&f, minute(366)).await;
        let shown = |alerts: Vec<super::view::AlertView>| -> Vec<(String, Option<String>)> {
            let of_year =
                alerts.into_iter().filter(|alert| alert.kind == "interruption" && alert.mark == "missed");
            of_year.map(|alert| (alert.mark, alert.ended)).collect()
        };
        let all = f.fault(fault, minute(367)).await.alerts;
        assert_eq!(shown(all), [("missed".to_owned(), Some("corrected".to_owned()))], "before any round");
        climb(&f, minute(380)).await;
        assert!(!of_the_year(&f).await.contains(&"missed rung1".to_owned()));
        assert!(ended(&f).await.contains(&"missed corrected".to_owned()));
    })
    .await;
}
