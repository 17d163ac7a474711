//! A year of simulated life, taken in in three orders of arrival: the same faults, figures and reports, to the byte.
//!
//! `LINEWATCH_YEAR=full` takes 10,000 lines and 500 customers instead of what a check before a change can wait for, and
//! `LINEWATCH_YEAR=1000` as many lines with their share of everything; `STORY_SEED` repeats a life that was seen to fail, and
//! `STORY_SEED=random` makes up another one, in which not everything may happen.

#![expect(clippy::print_stdout, reason = "shown by the test harness when the test fails, or asked to")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;
use linewatch_shared::time::{DAY_MS, UnixMs};
use linewatch_tests::harness::Seed;
use linewatch_tests::year::{
    Arrival, Deed, Life, Order, Scale, YearDesk, arrivals, first_figure, first_line, typed_in,
};

/// The life that is lived where no other is asked for: something of everything happens in it.
const USUAL_SEED: u64 = 20_261_122;
/// How long the engine sleeps at most.
const TICK_MS: i64 = 7 * DAY_MS;

/// What a year amounts to.
struct Outcome {
    faults: Vec<String>,
    matters: Vec<String>,
    reports: BTreeMap<String, Vec<u8>>,
}

/// Something that reaches the desk.
enum Happening {
    Arrives(Arrival),
    IsDone(Deed),
}

/// What happens, by when the desk learns of it. Where all records come after the year, the desk has done its own by then.
fn happenings(life: &Life, order: Order, seed: Seed) -> Vec<(UnixMs, Happening)> {
    let deeds = typed_in(&life.deeds, life.begins, order != Order::Late);
    let deeds = deeds.into_iter().map(|(now, deed)| (now, Happening::IsDone(deed)));
    let arriving = arrivals(life, order, seed).into_iter().map(|a| (a.at, Happening::Arrives(a)));
    let mut all: Vec<(UnixMs, Happening)> = deeds.chain(arriving).collect();
    // Stable: what is done stays in its order, and so does what one device sends.
    all.sort_by_key(|(at, _)| *at);
    all
}

async fn live(folder: &Path, life: &Life, order: Order, seed: Seed) -> Result<Outcome> {
    let mut desk = YearDesk::open(folder, life).await?;
    let mut ticked = life.begins;
    for (now, happening) in happenings(life, order, seed) {
        if order != Order::Shuffled && now > ticked + TICK_MS {
            ticked = now;
            desk.tick(now).await?;
        }
        match happening {
            Happening::Arrives(arrival) => desk.take(&arrival).await?,
            Happening::IsDone(deed) => desk.act(life, &deed, now).await?,
        }
    }
    let end = life.ends + 60 * DAY_MS;
    desk.tick(end).await?;
    println!("{order:?}: {}", desk.counts().await?);
    Ok(Outcome {
        faults: desk.faults().await?,
        matters: desk.matters().await?,
        reports: desk.reports(end).await?,
    })
}

/// A life in which something of everything happened: figures that are all zero would be equal too.
fn assert_rich(lived: &Outcome) {
    let year: serde_json::Value =
        serde_json::from_slice(&lived.reports["2026/tier.json"]).unwrap_or_default();
    assert!(year["total"].is_object(), "{year}");
    // No tier of this life has a limit for first answers, or promises availability; a small life may not tire a line;
    // nobody checks samples or has a telephone system.
    let none = [
        "call_days",
        "calls_answered",
        "calls_offered",
        "calls_within_20s",
        "sample_points",
        "samples_checked",
        "samples_good",
        "answer_kept",
        "answer_missed",
        "open",
        "repeat_near",
        "repeat_reached",
        "interruption_over",
        "availability_kept",
        "availability_missed",
        "service_ms",
        "available_ms",
    ];
    let poor: Vec<&str> = year["total"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(figure, value)| !none.contains(&figure.as_str()) && value.as_i64() <= Some(0))
        .map(|(figure, _)| figure.as_str())
        .collect();
    assert!(poor.is_empty(), "none of {poor:?}: {year}");
    for (what, shown) in [
        ("a re-rate", "former: [\n        Former"),
        ("a pause", "cause: \"customer_access\""),
        ("degraded service", "degraded: [\n        Run"),
        ("a repeat complaint", "repeats: [\n        "),
        ("a promise put off", "postponed: 1"),
        ("a defect", "kind: Defect"),
    ] {
        let told = lived.faults.iter().chain(&lived.matters).any(|text| text.contains(shown));
        assert!(told, "this life has not known {what}");
    }
}

/// The first thing in which two lives differ.
fn first_difference(one: &Outcome, other: &Outcome) -> Option<String> {
    let lists = [("fault", &one.faults, &other.faults), ("matter", &one.matters, &other.matters)];
    for (what, ones, others) in lists {
        let pairs = ones.iter().zip(others);
        if let Some((n, (one, other))) = pairs.enumerate().find(|(_, (one, other))| one != other) {
            let line = first_line(one, other).unwrap_or_default();
            return Some(format!("{what} {n}: {line}\n{one}\n{other}"));
        }
        if ones.len() != others.len() {
            return Some(format!("{} {what}s | {}", ones.len(), others.len()));
        }
    }
    let names: BTreeSet<&String> = one.reports.keys().chain(other.reports.keys()).collect();
    let none = Vec::new();
    names.into_iter().find_map(|name| {
        let bytes = |of: &'_ Outcome| of.reports.get(name).unwrap_or(&none).clone();
        let figure = first_figure(&bytes(one), &bytes(other))?;
        Some(format!("report {name}: {figure}"))
    })
}

fn scale() -> Scale {
    match std::env::var("LINEWATCH_YEAR").as_deref() {
        Ok("full") => Scale::FULL,
        Ok(lines) => lines.parse().map_or(Scale::SMALL, Scale::of_lines),
        Err(_) => Scale::SMALL,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_is_the_same_in_whatever_order_it_arrives() {
    let (scale, seed) = (scale(), Seed::from_env_or(USUAL_SEED));
    println!("STORY_SEED={} {scale:?}", seed.value());
    let life = Life::of(scale, seed.clone());
    println!("{} records, {} deeds of the desk's own", life.records.len(), life.deeds.len());
    let mut first: Option<Outcome> = None;
    for (n, order) in (1..).zip([Order::Prompt, Order::Late, Order::Shuffled]) {
        let folder = tempfile::tempdir().unwrap();
        let lived = live(folder.path(), &life, order, Seed::of(seed.value() ^ n)).await.unwrap();
        assert!(lived.faults.len() as u64 >= scale.faults * 8 / 10, "only {} faults", lived.faults.len());
        let Some(first) = &first else {
            assert_rich(&lived);
            first = Some(lived);
            continue;
        };
        if let Some(difference) = first_difference(first, &lived) {
            panic!("{order:?} is not as {:?}: {difference}", Order::Prompt);
        }
    }
}
