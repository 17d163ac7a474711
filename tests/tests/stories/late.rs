//! An agent that was three weeks without a network: its facts count as when they happened.

use anyhow::{Context, Result, ensure};
use chrono::{Datelike, FixedOffset, TimeZone};
use linewatch_agent::clock::boot_id;
use linewatch_shared::detector::LineState;
use linewatch_shared::time::{DAY_MS, HOUR_MS, UnixMs};
use linewatch_tests::harness::{Folder, ShiftedClock, Store, now, sample, story};

use crate::desk::{Desk, at, promise, told};

const THREE_WEEKS_MS: i64 = 21 * DAY_MS;

/// Writes that a line changed, `ago_ms` before now, into the journal of an agent that was on all the time.
fn write(desk: &Desk, line: &str, state: LineState, ago_ms: i64) -> Result<UnixMs> {
    let journal = sample::journal_with(&desk.agent, ShiftedClock::ago(ago_ms), boot_id()?)?;
    let record = sample::change(journal.scribe(), line, state);
    journal.append_blocking(std::slice::from_ref(&record))?;
    Ok(record.occurred.raw())
}

#[test]
fn three_weeks_offline() {
    story(|folder| {
        let desk = Desk::open(folder, 3)?;
        let (by_probe, reported) = (sample::line(0), sample::line(1));
        let down_at = write(&desk, &by_probe, LineState::Down, THREE_WEEKS_MS)?;
        let up_at = write(&desk, &by_probe, LineState::Up, THREE_WEEKS_MS - 10 * HOUR_MS)?;
        let reported_at = now() + -(THREE_WEEKS_MS - 20 * HOUR_MS);
        let typed = reported_at.to_rfc3339();
        let id =
            desk.agent.run(&["fault", "report", "--line", &reported, "--at", &typed, "no signal"])?.ok()?;
        let list = desk.api.get("/api/v1/faults")?.expect(200)?;
        ensure!(list["items"].as_array().is_some_and(Vec::is_empty), "the server cannot know yet: {list}");
        desk.agent.run(&["sync", "--quiet"])?.ok()?;

        let fault = desk.fault_of(&by_probe)?;
        ensure!(at(&fault["started_at"])? == down_at, "it began three weeks ago: {fault}");
        ensure!(
            fault["state"] == "restored" && at(&fault["restored_at"])? == up_at,
            "the line came back: {fault}"
        );
        let restoration = promise(&fault, "restoration")?;
        ensure!(restoration["state"] == "missed", "two hours were promised: {restoration}");
        ensure!(
            at(&restoration["missed_at"])? == down_at + 2 * HOUR_MS,
            "missed at its own time: {restoration}"
        );
        ensure!(at(&restoration["met_at"])? == up_at, "and met late: {restoration}");
        let facts = fault["facts"].as_array().context("facts")?;
        ensure!(facts.iter().all(|fact| fact["late"] == true), "learnt late: {fault}");
        ensure!(facts.iter().all(|fact| fact["uncertain"] == false), "the clock was right: {fault}");

        let second = desk.fault_of(&reported)?;
        ensure!(second["id"] == id.trim() && at(&second["started_at"])? == UnixMs::parse_rfc3339(&typed)?);
        let restoration = promise(&second, "restoration")?;
        ensure!(at(&restoration["missed_at"])? == reported_at + 2 * HOUR_MS, "{restoration}");
        check_alerts(&desk, &fault, &second)?;
        again_changes_nothing(&desk, &by_probe)
    });
}

/// One message for each promise that was missed, never one for each mark.
fn check_alerts(desk: &Desk, fault: &serde_json::Value, second: &serde_json::Value) -> Result<()> {
    let mails = desk.all_mails()?;
    for fault in [fault, second] {
        let told = told(&mails, fault["id"].as_str().context("id")?, "restoration");
        ensure!(told == 1, "{told} messages about one late finding");
    }
    for mail in &mails {
        ensure!(
            !mail.keys.iter().any(|key| key.contains("warn_")),
            "a warning of long ago: {}",
            mail.subject
        );
        ensure!(mail.to == [sample::MANAGER], "{:?}", mail.to);
    }
    let store = Store::Sqlite(desk.server.database());
    let late = store.number("SELECT COUNT(*) FROM outbox WHERE alert LIKE '%\"late\":true%'")?;
    let all = store.number("SELECT COUNT(*) FROM outbox")?;
    ensure!(late == all && all >= 2, "{late} of {all} messages say that they are late findings");
    Ok(())
}

fn again_changes_nothing(desk: &Desk, line: &str) -> Result<()> {
    let (before, mails) = (desk.fault_of(line)?, desk.all_mails()?.len());
    desk.agent.run(&["sync", "--quiet"])?.ok()?;
    let after = desk.fault_of(line)?;
    for field in ["id", "state", "started_at", "restored_at", "facts"] {
        ensure!(before[field] == after[field], "{field} changed");
    }
    ensure!(desk.all_mails()?.len() == mails, "something was told twice");
    Ok(())
}

/// An outage over the last new year, in the pack's time zone.
fn over_new_year() -> Result<(i32, UnixMs)> {
    let zone = FixedOffset::east_opt(8 * 3_600).context("zone")?;
    let local = zone.timestamp_millis_opt(now().0 - 2 * DAY_MS).single().context("now")?;
    let year = local.year();
    let first = zone.with_ymd_and_hms(year, 1, 1, 0, 0, 0).single().context("new year")?;
    Ok((year, UnixMs(first.timestamp_millis())))
}

#[test]
fn each_year_has_its_own() {
    story(|folder: &Folder| {
        let desk = Desk::open(folder, 1)?;
        let line = sample::line(0);
        let (year, new_year) = over_new_year()?;
        write(&desk, &line, LineState::Down, now().since(new_year) + 4 * HOUR_MS)?;
        write(&desk, &line, LineState::Up, now().since(new_year) - 6 * HOUR_MS)?;
        desk.agent.run(&["sync", "--quiet"])?.ok()?;
        let fault = desk.fault_of(&line)?;
        ensure!(fault["state"] == "restored", "{fault}");
        let store = Store::Sqlite(desk.server.database());
        let counted =
            |year: i32| store.number(&format!("SELECT SUM(counted) FROM contribution WHERE year = {year}"));
        ensure!(
            counted(year - 1)? == 1 && counted(year)? == 0,
            "it is a fault of the year in which it began"
        );
        let view = desk.api.get(&format!("/api/v1/lines/{line}"))?.expect(200)?;
        if view["interruption"]["year"] == year {
            let ms = view["interruption"]["ms"].as_i64().context("ms")?;
            ensure!((ms - 6 * HOUR_MS).abs() < 2_000, "six hours of this year: {view}");
            ensure!(view["repeat"]["count"] == 0, "none of this year: {view}");
        }
        Ok(())
    });
}
