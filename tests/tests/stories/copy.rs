//! A laptop's data copied to another, or put back from a backup: what either writes arrives, once.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use linewatch_agent::vault::own_key_path;
use linewatch_tests::harness::{Agent, BOUND, Folder, Store, eventually, now, run, sample, story};
use uuid::Uuid;

use crate::desk::{AGENT, Desk};

/// Twice the time that one secret is good for, and the work of a busy machine.
const NOTICED_WITHIN: Duration = Duration::from_mins(3);

fn copy(from: &Path, to: &Path) -> Result<()> {
    run(Path::new("cp"), &[OsStr::new("-a"), from.as_os_str(), to.as_os_str()], "")?.ok().map(drop)
}

/// Reports and visits by the command line; answers their ids as printed.
fn write(agent: &Agent, count: usize) -> Result<Vec<Uuid>> {
    let mut ids = Vec::new();
    for n in 0..count {
        let at = (now() + -60_000).to_rfc3339();
        let printed = if n % 2 == 0 {
            agent.run(&["fault", "report", "--line", &sample::line(n), "--at", &at, "no signal"])?.ok()?
        } else {
            agent.run(&["visit", "new", "--customer", sample::CUSTOMER])?.ok()?
        };
        ids.push(printed.trim().parse().context(printed)?);
    }
    Ok(ids)
}

/// A person lets the agent on where the server has noticed that there are two of it; answers whether it had.
fn release(desk: &Desk) -> Result<bool> {
    let store = Store::Sqlite(desk.server.database());
    if store.number("SELECT COUNT(*) FROM agent WHERE quarantined_at_ms IS NOT NULL")? == 0 {
        return Ok(false);
    }
    desk.server.run(&["agent", "release", AGENT], "")?.ok()?;
    eventually(BOUND, "what was kept aside is taken in", || {
        Ok((store.number("SELECT COUNT(*) FROM aside")? == 0).then_some(()))
    })?;
    Ok(true)
}

fn check(desk: &Desk, saved: &BTreeSet<Uuid>) -> Result<()> {
    let store = Store::Sqlite(desk.server.database());
    let held = store.ids("SELECT id FROM record WHERE kind IN ('report', 'visit')")?;
    let once: BTreeSet<_> = held.iter().copied().collect();
    ensure!(held.len() == once.len(), "something is doubled");
    let lost: Vec<_> = saved.difference(&once).collect();
    ensure!(lost.is_empty(), "{} of {} lost: {lost:?}", lost.len(), saved.len());
    ensure!(once.len() == saved.len(), "{} that nobody saved", once.len() - saved.len());
    ensure!(store.number("SELECT COUNT(*) FROM aside")? == 0, "records were put aside");
    Ok(())
}

fn epochs(desk: &Desk) -> Result<i64> {
    Store::Sqlite(desk.server.database())
        .number("SELECT COUNT(DISTINCT epoch) FROM stream WHERE lane = 'fault'")
}

#[test]
fn both_laptops_facts_arrive_once() {
    story(|folder: &Folder| {
        let desk = Desk::open(folder, 10)?;
        let mut saved = BTreeSet::from_iter(write(&desk.agent, 4)?);
        desk.agent.run(&["sync", "--quiet"])?.ok()?;
        saved.extend(write(&desk.agent, 3)?);
        // The copy holds what was sent, and what was not.
        let other = Agent::new(&folder.path().join("other"), None, &[])?;
        copy(&desk.agent.data_dir(), &other.data_dir())?;
        copy(&own_key_path(&desk.agent.data_dir()), &own_key_path(&other.data_dir()))?;
        saved.extend(write(&desk.agent, 5)?);
        saved.extend(write(&other, 7)?);
        for agent in [&desk.agent, &other, &desk.agent] {
            agent.run(&["sync", "--quiet"])?.ok()?;
        }
        release(&desk)?;
        check(&desk, &saved)?;
        ensure!(epochs(&desk)? == 2, "{} epochs", epochs(&desk)?);
        saved.extend(write(&desk.agent, 2)?);
        saved.extend(write(&other, 2)?);
        // What tells the two apart changes half a minute after it was first shown, and not sooner.
        eventually(NOTICED_WITHIN, "the server notices that there are two of it", || {
            for agent in [&desk.agent, &other] {
                agent.run(&["sync", "--quiet"])?.ok()?;
            }
            Ok(release(&desk)?.then_some(()))
        })?;
        check(&desk, &saved)
    });
}

#[test]
fn a_backup_put_back_loses_nothing_that_was_sent() {
    story(|folder: &Folder| {
        let desk = Desk::open(folder, 10)?;
        let data = desk.agent.data_dir();
        let backup = folder.path().join("backup");
        let mut saved = BTreeSet::from_iter(write(&desk.agent, 3)?);
        desk.agent.run(&["sync", "--quiet"])?.ok()?;
        copy(&data, &backup)?;
        saved.extend(write(&desk.agent, 4)?);
        desk.agent.run(&["sync", "--quiet"])?.ok()?;
        std::fs::remove_dir_all(&data)?;
        std::fs::rename(&backup, &data)?;
        saved.extend(write(&desk.agent, 4)?);
        desk.agent.run(&["sync", "--quiet"])?.ok()?;
        release(&desk)?;
        check(&desk, &saved)
    });
}
