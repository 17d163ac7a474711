//! Fills a folder with a desk that has lived from January to November, for `make report-sample`: sample customers,
//! sample faults, and October's figures made once before the last laptops came back.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use chrono_tz::Asia::Shanghai;
use linewatch_server::app::report::period::Period;
use linewatch_shared::time::DAY_MS;
use linewatch_tests::harness::Seed;
use linewatch_tests::year::{Life, Order, Scale, YearDesk, arrivals};

/// How much has happened.
const SCALE: Scale = Scale { lines: 120, customers: 24, faults: 500, overlapping_percent: 0 };
/// Which life it is.
const SEED: u64 = 20_261_001;
/// The month that is reported.
const MONTH: Period = Period::Month(2026, 10);
/// When October was reported first, and when the story ends: days after its end.
const FIRST_DAYS: i64 = 2;
const LAST_DAYS: i64 = 20;

#[tokio::main]
async fn main() -> Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).context("usage: report_sample FOLDER")?);
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let life = Life::of(SCALE, Seed::of(SEED));
    let mut desk = YearDesk::open(&folder, &life).await?;
    let (_, over) = MONTH.bounds(Shanghai);
    let mut first = None;
    for arrival in arrivals(&life, Order::Late, Seed::of(SEED)) {
        if arrival.at > over + LAST_DAYS * DAY_MS {
            break;
        }
        if first.is_none() && arrival.at > over + FIRST_DAYS * DAY_MS {
            first = Some(desk.report(MONTH, arrival.at).await?);
        }
        desk.take(&arrival).await?;
    }
    let config = format!(
        "data_dir = '{folder}'\n[db]\nurl = 'sqlite:{folder}/year.db'\n",
        folder = folder.canonicalize()?.display()
    );
    std::fs::write(folder.join("server.toml"), config)?;
    // With standard output gone there is nobody left to tell.
    let _ = writeln!(std::io::stdout(), "{MONTH}: {}", desk.counts().await?);
    Ok(())
}
