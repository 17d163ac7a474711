//! `gov-enterprise`: what is promised hangs on tier and service, the most exact cell first.

use anyhow::{Result, ensure};
use linewatch_shared::time::SECOND_MS;
use linewatch_tests::harness::{Folder, story};
use serde_json::json;

use crate::desk::{Desk, at, ensure_allows, ensure_done, ensure_state, id, promise};
use crate::quick::Quick;

/// Tier and service of a cell, its two limits as text, and in seconds.
const CELLS: [(&str, &str, &str, &str); 4] = [
    ("group", "sdh", "12s", "20s"),
    ("group", "xdsl", "13s", "21s"),
    ("*", "satellite", "5s", "22s"),
    ("*", "*", "15s", "23s"),
];
/// A line's code, its customer's tier, its service, its answer and its finish in seconds.
const LINES: [(&str, &str, &str, i64, i64); 5] = [
    ("G-SDH", "group", "sdh", 12, 20),
    ("G-XDSL", "group", "xdsl", 13, 21),
    ("C-SAT", "local-C", "satellite", 5, 22),
    ("C-XDSL", "local-C", "xdsl", 15, 23),
    ("G-OTHER", "group", "dark-fibre", 15, 23),
];

fn desk(folder: &Folder) -> Result<Desk> {
    let mut pack = Quick::of("gov-enterprise")?;
    for (tier, service, answer, finish) in CELLS {
        let limits = [("answer_within", answer), ("finish_within", finish)];
        pack = pack.with("cell", &[("tier", tier), ("service", service)], &limits)?;
    }
    let limits = [("feedback_every", "30s"), ("repair_within", "40s"), ("callback_within", "40s")];
    pack = pack.with("tier", &[], &limits)?;
    let row =
        |tier| format!("{tier},示例客户 (sample),{tier},gov-enterprise,manager-1,manager-1@desk.example");
    let head = "code,name,tier,pack,manager,manager_email".to_owned();
    let customers = [head, row("group"), row("local-C")].join("\n");
    let rows = LINES.iter().map(|(line, tier, service, ..)| format!("{line},{tier},{service}"));
    let lines: Vec<_> = std::iter::once("code,customer,service".to_owned()).chain(rows).collect();
    Desk::open(folder, &pack, &customers, &lines.join("\n"))
}

#[test]
fn the_most_exact_cell_is_promised() {
    story(|folder| {
        let desk = desk(folder)?;
        let mut faults = Vec::new();
        for (line, _, _, answer, finish) in LINES {
            let fault = desk.report(line)?;
            ensure_allows(&fault, "answer", answer * SECOND_MS)?;
            ensure_allows(&fault, "restoration", finish * SECOND_MS)?;
            faults.push(id(&fault)?);
        }
        let (sdh, satellite) = (&faults[0], &faults[2]);
        // Taken up and finished in time.
        let taken_up = desk.fault_step(sdh, &json!({ "kind": "acknowledged" }))?;
        ensure_state(&taken_up, "answer", "met")?;
        ensure_state(&taken_up, "restoration", "running")?;
        let back = desk.fault_step(sdh, &json!({ "kind": "restored" }))?;
        ensure_state(&back, "restoration", "met")?;
        // The answer and the finish are two promises: one is missed, the other kept.
        desk.wait_missed("answer", satellite)?;
        desk.fault_step(satellite, &json!({ "kind": "acknowledged" }))?;
        let back = desk.fault_step(satellite, &json!({ "kind": "restored" }))?;
        ensure_state(&back, "restoration", "met")?;
        let answer = promise(&back, "answer")?;
        ensure!(answer["state"] == "missed" && at(&answer["met_at"])? > at(&answer["due_at"])?, "{answer}");
        for fault in [sdh, satellite] {
            desk.fault_step(fault, &json!({ "kind": "repaired" }))?;
            let satisfied = json!({ "kind": "callback", "reached": true, "result": "satisfied" });
            ensure_done(&desk.fault_step(fault, &satisfied)?, "closed")?;
        }
        Ok(())
    });
}
