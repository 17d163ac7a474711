//! A year of simulated life, taken in in three orders of arrival: the same faults, figures and reports, to the byte.
//!
//! `LINEWATCH_YEAR=full` takes 10,000 lines and 500 customers instead of what a check before a change can wait for;
//! `STORY_SEED` repeats a life that was seen to fail.

#![expect(clippy::print_stdout, reason = "shown by the test harness when the test fails, or asked to")]

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use linewatch_shared::time::DAY_MS;
use linewatch_tests::harness::Seed;
use linewatch_tests::year::{Life, Order, Scale, YearDesk, arrivals};

/// What a year amounts to.
struct Outcome {
    faults: Vec<String>,
    reports: BTreeMap<String, Vec<u8>>,
}

async fn live(folder: &Path, life: &Life, order: Order, seed: Seed) -> Result<Outcome> {
    let mut desk = YearDesk::open(folder, life).await?;
    // Some customers move up a tier in summer; what began before stays under its old limits.
    let summer = life.begins + 200 * DAY_MS;
    let mut upgraded = order == Order::Shuffled;
    if upgraded {
        desk.import(&life.customers(true), summer).await?;
    }
    let mut ticked = life.begins;
    for arrival in arrivals(life, order, seed) {
        if !upgraded && arrival.at > summer {
            desk.import(&life.customers(true), summer).await?;
            upgraded = true;
        }
        if order != Order::Shuffled && arrival.at > ticked + 7 * DAY_MS {
            ticked = arrival.at;
            desk.tick(ticked).await?;
        }
        desk.take(&arrival).await?;
    }
    let end = life.ends + 60 * DAY_MS;
    desk.tick(end).await?;
    println!("{order:?}: {}", desk.counts().await?);
    Ok(Outcome { faults: desk.faults().await?, reports: desk.reports(end).await? })
}

/// A life in which something of everything happened: figures that are all zero would be equal too.
fn assert_rich(year: &[u8]) {
    let year: serde_json::Value = serde_json::from_slice(year).unwrap_or_default();
    assert!(year["total"].is_object(), "{year}");
    // This life has no complaints, visits or patrols, and no tier with a limit for first answers.
    let none = ["answer_kept", "answer_missed", "open", "repeat_near", "repeat_reached", "interruption_over"];
    let of_faults = |name: &str| {
        let figures = year["figures"].as_array().into_iter().flatten();
        figures.filter(|figure| figure["section"] != "matters").any(|figure| figure["name"] == name)
    };
    for (figure, value) in year["total"].as_object().into_iter().flatten() {
        let may_be_none = none.contains(&figure.as_str()) || !of_faults(figure);
        assert!(may_be_none || value.as_i64() > Some(0), "no {figure}: {year}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_is_the_same_in_whatever_order_it_arrives() {
    let full = std::env::var("LINEWATCH_YEAR").is_ok_and(|scale| scale == "full");
    let scale = if full { Scale::FULL } else { Scale::SMALL };
    let seed = Seed::from_env();
    println!("STORY_SEED={} {scale:?}", seed.value());
    let life = Life::of(scale, seed.clone());
    println!("{} records", life.records.len());
    let mut first: Option<Outcome> = None;
    for (n, order) in (1..).zip([Order::Prompt, Order::Late, Order::Shuffled]) {
        let folder = tempfile::tempdir().unwrap();
        let lived = live(folder.path(), &life, order, Seed::of(seed.value() ^ n)).await.unwrap();
        assert!(lived.faults.len() as u64 >= scale.faults * 8 / 10, "only {} faults", lived.faults.len());
        assert_rich(&lived.reports["2026/tier.json"]);
        let Some(first) = &first else {
            first = Some(lived);
            continue;
        };
        for (one, other) in first.faults.iter().zip(&lived.faults) {
            assert_eq!(one, other, "{order:?}");
        }
        assert_eq!(first.faults.len(), lived.faults.len(), "{order:?}");
        assert_eq!(first.reports.len(), lived.reports.len());
        for (name, bytes) in &first.reports {
            assert!(*bytes == lived.reports[name], "{name} differs when it arrives {order:?}");
        }
    }
}
