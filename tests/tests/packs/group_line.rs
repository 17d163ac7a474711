//! `group-line`: four tiers lose a line each at once.

use anyhow::{Context, Result, ensure};
use linewatch_shared::time::SECOND_MS;
use linewatch_tests::harness::{BOUND, eventually, story};
use serde_json::json;

use crate::desk::{Desk, at, ensure_allows, ensure_done, ensure_state, id, promise, promises};
use crate::quick::Quick;

/// Tiers in the order of their limits, which are seconds here as they are hours in the pack.
const TIERS: [(&str, &str, i64); 4] =
    [("AAA", "6s", 6), ("AA", "8s", 8), ("A", "10s", 10), ("standard", "12s", 12)];
/// Between two words to the customer.
const FEEDBACK_S: i64 = 3;

fn desk(folder: &linewatch_tests::harness::Folder) -> Result<Desk> {
    let mut pack = Quick::of("group-line")?;
    for (tier, restore_within, _) in TIERS {
        let limits = [
            ("restore_within", restore_within),
            ("feedback_every", "3s"),
            ("repair_within", "40s"),
            ("callback_within", "40s"),
        ];
        pack = pack.with("tier", &[("name", tier)], &limits)?;
    }
    let row = |(tier, ..): &(&str, &str, i64)| {
        format!("C-{tier},示例客户 (sample),{tier},manager-1,manager-1@desk.example")
    };
    let customers: Vec<_> = std::iter::once("code,name,tier,manager,manager_email".to_owned())
        .chain(TIERS.iter().map(row))
        .collect();
    let row = |(tier, ..): &(&str, &str, i64)| format!("L-{tier},C-{tier}");
    let lines: Vec<_> = std::iter::once("code,customer".to_owned()).chain(TIERS.iter().map(row)).collect();
    Desk::open(folder, &pack, &customers.join("\n"), &lines.join("\n"))
}

/// The tiers whose restoration is in that state, the first due first.
fn tiers_in(desk: &Desk, state: &str) -> Result<Vec<String>> {
    let list = desk.items(&format!("deadlines?kind=restoration&state={state}"))?;
    Ok(list.iter().map(|item| item["tier"].as_str().unwrap_or_default().to_owned()).collect())
}

#[test]
fn four_tiers_each_by_its_own_limit() {
    story(|folder| {
        let desk = desk(folder)?;
        let mut faults = Vec::new();
        for (tier, _, seconds) in TIERS {
            let fault = desk.report(&format!("L-{tier}"))?;
            ensure_allows(&fault, "restoration", seconds * SECOND_MS)?;
            ensure_allows(&fault, "feedback", FEEDBACK_S * SECOND_MS)?;
            faults.push(id(&fault)?);
        }
        in_time(&desk, &faults[0])?;
        let order = ["AA", "A", "standard"];
        eventually(BOUND, "the other three are missed", || {
            let missed = tiers_in(&desk, "missed")?;
            ensure!(order.starts_with(&missed.iter().map(String::as_str).collect::<Vec<_>>()), "{missed:?}");
            Ok((missed.len() == order.len()).then_some(()))
        })?;
        ensure!(tiers_in(&desk, "running")?.is_empty());
        too_late(&desk, &faults[1])?;
        let board = desk.noc.board()?;
        let open = board["faults"].as_array().context("faults")?.len();
        ensure!(open == 2, "two are closed, two still open: {board}");
        Ok(())
    });
}

/// Restored in time, the customer told, and closed by the callback.
fn in_time(desk: &Desk, fault: &str) -> Result<()> {
    for kind in ["acknowledged", "dispatched", "restored"] {
        desk.fault_step(fault, &json!({ "kind": kind }))?;
    }
    let back = desk.noc.fault(fault)?;
    ensure_state(&back, "restoration", "met")?;
    ensure_state(&back, "feedback", "running").context("\"it is back\" is owed")?;
    let told = desk.fault_step(fault, &json!({ "kind": "feedback", "reached": true }))?;
    ensure_state(&told, "feedback", "met")?;
    desk.fault_step(fault, &json!({ "kind": "repaired" }))?;
    let in_vain = desk.fault_step(fault, &json!({ "kind": "callback", "reached": false }))?;
    ensure!(in_vain["state"] == "repaired", "{in_vain}");
    let closed =
        desk.fault_step(fault, &json!({ "kind": "callback", "reached": true, "result": "satisfied" }))?;
    ensure_state(&closed, "callback", "met")?;
    ensure_done(&closed, "closed")
}

/// Silent and late: misses of both kinds stay, one chain of mails, and the customer has to be asked twice.
fn too_late(desk: &Desk, fault: &str) -> Result<()> {
    let silent = desk.noc.fault(fault)?;
    let missed = promises(&silent, "feedback").iter().filter(|period| period["state"] == "missed").count();
    ensure!(missed >= 2, "silent for two periods at least: {silent}");
    let restored = desk.fault_step(fault, &json!({ "kind": "restored" }))?;
    let restoration = promise(&restored, "restoration")?;
    ensure!(restoration["state"] == "missed", "a miss stays: {restoration}");
    ensure!(at(&restoration["met_at"])? > at(&restoration["due_at"])?, "and is met late: {restoration}");
    desk.fault_step(fault, &json!({ "kind": "repaired" }))?;
    let not_well = json!({ "kind": "callback", "reached": true, "result": "unsatisfied", "service": "up" });
    let back = desk.fault_step(fault, &not_well)?;
    ensure_state(&back, "repair", "running").context("back to work")?;
    let again = desk.fault_step(fault, &json!({ "kind": "repaired" }))?;
    ensure_state(&again, "callback", "running").context("the callback is owed again")?;
    let closed =
        desk.fault_step(fault, &json!({ "kind": "callback", "reached": true, "result": "satisfied" }))?;
    ensure_done(&closed, "closed")?;
    desk.mailbox.wait_for(BOUND, "the miss is told", |mail| mail.is_about(fault, "restoration", "missed"))?;
    let mails = desk.mailbox.mails()?;
    let silence = mails.iter().filter(|mail| mail.is_about(fault, "feedback", "missed")).count();
    ensure!(silence == 1, "{missed} silent periods are one message, not {silence}");
    Ok(())
}
