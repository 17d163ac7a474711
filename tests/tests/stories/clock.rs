//! A device whose clock is three hours wrong: its times are corrected and marked, a person's never.

use anyhow::{Context, Result, ensure};
use linewatch_shared::detector::LineState;
use linewatch_shared::time::{HOUR_MS, UnixMs};
use linewatch_tests::harness::{Folder, ShiftedClock, now, sample, story};
use uuid::Uuid;

use crate::desk::{Desk, at};

/// Between what the story does and what it looks at.
const SECONDS_MS: i64 = 5_000;

fn play(folder: &Folder, wrong_ms: i64) -> Result<()> {
    let desk = Desk::open(folder, 2)?;
    let (probed, reported) = (sample::line(0), sample::line(1));
    let journal = sample::journal_with(&desk.agent, ShiftedClock::wrong_by(wrong_ms), Uuid::new_v4())?;
    let began_at = now();
    let change = sample::change(journal.scribe(), &probed, LineState::Down);
    ensure!(
        (change.occurred.raw().since(began_at) - wrong_ms).abs() < SECONDS_MS,
        "the device's clock is right"
    );
    let typed_at = UnixMs(began_at.0 - 30 * 60_000);
    let report = sample::report(journal.scribe(), &reported, typed_at);
    journal.append_blocking(&[change.clone(), report])?;
    sample::sync(&desk.agent, &journal)?;

    let fault = desk.fault_of(&probed)?;
    let off_ms = at(&fault["started_at"])?.since(began_at);
    ensure!(off_ms.abs() < SECONDS_MS, "corrected, but {off_ms} ms off: {fault}");
    let facts = fault["facts"].as_array().context("facts")?;
    let corrected_ms = facts[0]["corrected_ms"].as_i64().context("corrected_ms")?;
    ensure!((corrected_ms + wrong_ms).abs() < SECONDS_MS, "by how much is shown: {fault}");
    ensure!(facts[0]["clock_wrong"] == true && facts[0]["uncertain"] == false, "and marked: {fault}");
    ensure!(at(&facts[0]["device_at"])? == change.occurred.raw(), "the time as stamped is kept: {fault}");

    let fault = desk.fault_of(&reported)?;
    ensure!(
        at(&fault["started_at"])? == typed_at,
        "a time that a person typed is meant as it stands: {fault}"
    );
    let facts = fault["facts"].as_array().context("facts")?;
    ensure!(facts[0]["corrected_ms"] == 0, "{fault}");
    let list = desk.api.get("/api/v1/agents")?.expect(200)?;
    println!("what the desk is told of the agent: {}", list["items"][0]);
    Ok(())
}

#[test]
fn three_hours_ahead() {
    story(|folder| play(folder, 3 * HOUR_MS));
}

#[test]
fn three_hours_behind() {
    story(|folder| play(folder, -3 * HOUR_MS));
}

#[test]
fn set_right_in_between() {
    story(|folder| {
        let desk = Desk::open(folder, 1)?;
        let line = sample::line(0);
        let boot = Uuid::new_v4();
        let wrong = sample::journal_with(&desk.agent, ShiftedClock::wrong_by(3 * HOUR_MS), boot)?;
        let began_at = now();
        wrong.append_blocking(&[sample::change(wrong.scribe(), &line, LineState::Down)])?;
        drop(wrong);
        // A person sets the clock before the first sync: only the monotonic clock still knows.
        let right = sample::journal_with(&desk.agent, ShiftedClock::default(), boot)?;
        sample::sync(&desk.agent, &right)?;
        let fault = desk.fault_of(&line)?;
        let off_ms = at(&fault["started_at"])?.since(began_at);
        ensure!(off_ms.abs() < SECONDS_MS, "{off_ms} ms off: {fault}");
        Ok(())
    });
}
