//! A device that is revoked locks itself, keeps everything, and is let in again; nobody reads what it keeps or carries.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use linewatch_tests::harness::{Agent, Folder, sample, story};

use crate::desk::{AGENT, Desk};

const WORD: &str = "canary-findings";

fn visit(agent: &Agent) -> Result<String> {
    let said = agent.run(&["visit", "new", "--customer", sample::CUSTOMER, "--findings", WORD])?.ok()?;
    Ok(said.trim().to_owned())
}

/// The files in a folder in which the word can be read.
fn in_the_clear(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let bytes = std::fs::read(&path)?;
        if ["canary", "PRIVATE KEY"]
            .iter()
            .any(|word| bytes.windows(word.len()).any(|at| at == word.as_bytes()))
        {
            found.push(path);
        }
    }
    Ok(found)
}

fn refused(agent: &Agent, args: &[&str]) -> Result<()> {
    let said = agent.run(args)?.refusal()?;
    ensure!(said.contains("locked since") && !said.contains(WORD), "{args:?}: {said}");
    Ok(())
}

#[test]
fn a_revoked_laptop_shows_nothing_and_loses_nothing() {
    story(|folder: &Folder| {
        let desk = Desk::open(folder, 1)?;
        let agent = &desk.agent;
        agent.run(&["sync", "--quiet"])?.ok()?;
        let id = visit(agent)?;
        ensure!(in_the_clear(&agent.data_dir())?.is_empty(), "{:?}", in_the_clear(&agent.data_dir())?);
        desk.server.run(&["agent", "revoke", AGENT], "")?.ok()?;
        let said =
            linewatch_tests::harness::eventually(linewatch_tests::harness::BOUND, "it is refused", || {
                let ran = agent.run(&["sync", "--quiet"])?;
                Ok((ran.code != 0).then_some(ran.err))
            })?;
        ensure!(said.contains("revoked"), "{said}");
        let out = folder.path().join("out.linewatch");
        let out = out.display().to_string();
        for args in [
            &["visit", "list"][..],
            &["visit", "list", "--json"],
            &["visit", "show", &id],
            &["visit", "new", "--customer", sample::CUSTOMER],
            &["fault", "list"],
            &["fault", "report", "--line", &sample::line(0), "dark"],
            &["export", &out],
            &["import", &out],
        ] {
            refused(agent, args)?;
        }
        let status = agent.run(&["status"])?.ok()?;
        ensure!(status.contains("locked since") && !status.contains(&sample::line(0)), "{status}");
        ensure!(status.contains("desk     1"), "what is unsent is kept: {status}");

        let token = desk.server.agent_token(AGENT)?;
        let url = format!("https://{}", desk.server.sync);
        agent.run(&["enroll", &url, "--token", &token, "--force"])?.ok()?;
        let shown = agent.run(&["visit", "show", &id])?.ok()?;
        ensure!(shown.contains(WORD), "{shown}");
        agent.run(&["sync", "--quiet"])?.ok()?;
        Ok(())
    });
}

#[test]
fn what_a_laptop_carries_is_read_by_agents_of_its_server_alone() {
    story(|folder: &Folder| {
        let desk = Desk::open(folder, 1)?;
        let other = Agent::new(&folder.path().join("other"), None, &[])?;
        other.enroll(&desk.server, "other-laptop")?;
        let stranger = Agent::new(&folder.path().join("stranger"), None, &[])?;
        for agent in [&desk.agent, &other] {
            agent.run(&["sync", "--quiet"])?.ok()?;
        }
        let id = visit(&desk.agent)?;
        let carried = folder.path().join("carried");
        std::fs::create_dir(&carried)?;
        let file = carried.join("out.linewatch").display().to_string();
        desk.agent.run(&["export", &file])?.ok()?;
        ensure!(in_the_clear(&carried)?.is_empty(), "the file can be read");
        let said = stranger.run(&["import", &file])?.refusal()?;
        ensure!(said.contains("key of another server"), "{said}");
        other.run(&["import", &file])?.ok()?;
        ensure!(other.run(&["visit", "show", &id])?.ok()?.contains(WORD), "it is not there");
        for agent in [&other, &desk.agent] {
            agent.run(&["sync", "--quiet"])?.ok()?;
        }
        let store = linewatch_tests::harness::Store::Sqlite(desk.server.database());
        let held = store.number("SELECT COUNT(*) FROM record WHERE kind = 'visit'")?;
        ensure!(held == 1, "the visit is there {held} times");
        Ok(())
    });
}
