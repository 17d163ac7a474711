//! How long a month's report takes over 100,000 faults on SQLite, in every form, and how much memory.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use chrono_tz::Asia::Shanghai;
use linewatch_server::app::report::figure::Figure;
use linewatch_server::app::report::group::Group;
use linewatch_server::app::report::period::Period;
use linewatch_server::db::{Db, DbError, Priority, Tx};
use linewatch_server::report::words::Lang;
use linewatch_server::report::{Form, render};
use linewatch_server::store::faults::{self, Saved};
use linewatch_server::store::{figures, lines, packs::PackCache};
use linewatch_shared::detector::LineState;
use linewatch_shared::facts::{Callback, Channel, Step, StepKind};
use linewatch_shared::sla::{Carried, Event, Fact, FaultState, Ledger, PackVersion, deadlines, fold};
use linewatch_shared::time::{DAY_MS, HOUR_MS, MINUTE_MS, UnixMs};
use linewatch_tests::bench::{Row, say};
use linewatch_tests::harness::{Folder, Seed, mono_ms};
use linewatch_tests::procfs::peak_rss_kib;
use linewatch_tests::year::{Life, Scale, YearDesk};
use uuid::Uuid;

/// Lines, and the faults of each in the month.
const LINES: usize = 10_000;
const FAULTS_OF_LINE: i64 = 10;
/// The month, and a moment after it.
const MONTH: Period = Period::Month(2026, 10);
/// After the month.
const MONTH_MS: i64 = 31 * DAY_MS;
/// Lines saved in one transaction.
const LINES_AT_ONCE: usize = 100;
/// The promise.
const WITHIN_MS: f64 = 2_000.0;
/// How often the report is made.
const ROUNDS: usize = 5;

#[tokio::main]
async fn main() -> Result<()> {
    let folder = Folder::new()?;
    let scale = Scale { lines: LINES as u64, customers: 500, faults: 0, overlapping_percent: 0 };
    let life = Life::of(scale, Seed::of(1));
    let desk = YearDesk::open(folder.path(), &life).await?;
    let (from, to) = MONTH.bounds(Shanghai);
    let began_ms = mono_ms();
    fill(desk.db(), from).await?;
    say(format!("{} faults saved in {:.1} s", LINES as i64 * FAULTS_OF_LINE, since_s(began_ms)))?;
    let mut times_ms = Vec::new();
    let mut published = None;
    for _ in 0..ROUNDS {
        let began_ms = mono_ms();
        published = Some(desk.report(MONTH, to + DAY_MS).await?);
        times_ms.push(mono_ms() - began_ms);
    }
    let published = published.context("no report was made")?;
    let counted = published.report.total.get(Figure::Faults);
    ensure!(counted == LINES as i64 * FAULTS_OF_LINE, "{counted} faults were counted");
    times_ms.sort_unstable();
    let (median, most) = (times_ms[ROUNDS / 2], times_ms[ROUNDS - 1]);
    Row::at_most(format!("a month's report over {counted} faults"), median as f64, WITHIN_MS, "ms").tell()?;
    say(format!("    most {most} ms of {ROUNDS}"))?;
    for (group, form) in [
        (Group::Tier, Form::Json),
        (Group::Line, Form::Json),
        (Group::Line, Form::Csv),
        (Group::Line, Form::Xlsx),
        (Group::Line, Form::Pdf),
    ] {
        let began_ms = mono_ms();
        let bytes = render(&published, group, form, Lang::Zh)?.len();
        let took_ms = mono_ms() - began_ms;
        say(format!("    {} by {}: {bytes} bytes in {took_ms} ms", form.name(), group.name()))?;
    }
    say(format!("    peak memory {} MiB", peak_rss_kib(std::process::id())? / 1_024))
}

fn since_s(began_ms: i64) -> f64 {
    (mono_ms() - began_ms) as f64 / 1_000.0
}

/// Saves faults as folding leaves them, without the facts themselves.
async fn fill(db: &Db, from: UnixMs) -> Result<()> {
    let cache = Arc::new(PackCache::default());
    for first in (0..LINES).step_by(LINES_AT_ONCE) {
        let cache = Arc::clone(&cache);
        let save = move |tx: &mut Tx<'_>| {
            let versions = cache.versions(tx)?;
            for line in first..(first + LINES_AT_ONCE).min(LINES) {
                save_line(tx, &versions, line, from)?;
            }
            Ok::<_, DbError>(())
        };
        db.write(Priority::Ingest, save).await?;
    }
    Ok(())
}

fn save_line(tx: &mut Tx<'_>, versions: &[PackVersion], line: usize, from: UnixMs) -> Result<(), DbError> {
    let code = format!("LINE-{line:05}");
    let rules = lines::rules(tx, &code, versions)?;
    let rules = rules.ok_or_else(|| DbError::Data(format!("{code} is not known")))?;
    let starts = (0..FAULTS_OF_LINE).map(|n| from + n * 3 * DAY_MS + (line as i64 % 1_440) * MINUTE_MS);
    let facts = (0_u128..).zip(starts).flat_map(|(n, at)| life(line as u128 * 1_000 + n * 100, at));
    let folded = fold(facts.collect(), &rules, &Carried::default());
    let mut saved = Vec::new();
    let zone = rules.pack_at(from).0.time_zone;
    for fault in folded.faults {
        let (pack, _) = rules.pack_at(fault.started_at);
        let now = fault.closed_at.unwrap_or(fault.started_at);
        let (owed, joins_until) = (deadlines(&fault, now), fault.joins_until(pack.same_fault_within_ms));
        let state = FaultState { fault, ledger: Ledger::default(), former: Vec::new() };
        saved.push(Saved { state, owed, joins_until, wait_until: None });
    }
    faults::save(tx, &saved, from + MONTH_MS)?;
    let counted: Vec<_> = saved.iter().map(|one| (&one.state.fault, zone)).collect();
    figures::save_all(tx, &counted)?;
    Ok(())
}

/// Seen, reported, worked on, told of, restored, mended, confirmed.
fn life(id: u128, at: UnixMs) -> Vec<Fact> {
    let opening = Uuid::from_u128(id + 1);
    let step = |kind| Event::Step(Step { fault: opening, kind, note: None });
    let evidence = |state| Event::Evidence { agent: "agent-0".to_owned(), state };
    let report = Event::Report {
        channel: Channel::Hotline,
        reporter: "sample caller".to_owned(),
        description: "nothing goes through".to_owned(),
    };
    let told = || step(StepKind::Feedback { reached: true });
    let events = [
        (0, evidence(LineState::Down)),
        (5, report),
        (8, step(StepKind::Acknowledged)),
        (15, step(StepKind::Dispatched)),
        (30, told()),
        (70, told()),
        (120, told()),
        (170, evidence(LineState::Up)),
        (171, step(StepKind::Restored)),
        (190, told()),
        (20 * 60, step(StepKind::Repaired)),
        (30 * 60, step(StepKind::Callback(Callback::Satisfied))),
    ];
    let fact = |(n, (minutes, event)): (u128, (i64, Event))| Fact {
        id: Uuid::from_u128(id + n),
        occurred_at: at + minutes * HOUR_MS / 60,
        event,
    };
    (1..).zip(events).map(fact).collect()
}
