//! `service-desk`: a minor complaint that is put off and repeated, one that waits too long, one that is none.

use anyhow::{Context, Result, ensure};
use linewatch_shared::time::{HOUR_MS, SECOND_MS};
use linewatch_tests::harness::{BOUND, Folder, story};
use serde_json::{Value, json};

use crate::desk::{Desk, ahead, at, ensure_allows, ensure_done, ensure_state, promise, promises};
use crate::quick::Quick;

const CUSTOMER: &str = "CUST-1";

fn desk(folder: &Folder) -> Result<Desk> {
    let class = |name| [("matter", "complaint"), ("name", name)];
    let pack = Quick::of("service-desk")?
        .with("class", &class("minor"), &[("answer_within", "6s"), ("resolve_within", "40s")])?
        .with("class", &class("major"), &[("answer_within", "50s"), ("resolve_within", "60s")])?
        .with("class", &class("invalid"), &[("answer_within", "50s")])?
        .with("class", &class("minor"), &[("progress_every", "8s"), ("callback_within", "30s")])?
        .with("class", &class("major"), &[("progress_every", "8s"), ("callback_within", "30s")])?;
    let customers = format!(
        "code,name,tier,manager,manager_email\n{CUSTOMER},示例客户 (sample),AAA,manager-1,manager-1@desk.example\n"
    );
    Desk::open(folder, &pack, &customers, "")
}

fn complaint(class: &str, about: Option<&str>) -> Value {
    json!({ "kind": "complaint", "class": class, "customer": CUSTOMER, "title": "a sample complaint", "about": about })
}

fn put_off(until: &str, special: bool) -> Value {
    json!({ "kind": "postponed", "until": until, "reason": "a part is missing", "special": special })
}

fn called_back() -> Value {
    json!({ "kind": "callback", "reached": true, "result": "satisfied" })
}

#[test]
fn complaints_minor_and_major() {
    story(|folder| {
        let desk = desk(folder)?;
        let waiting = desk.take_in(&complaint("minor", None))?;
        let first = desk.take_in(&complaint("minor", None))?;
        ensure_allows(&desk.matter(&first)?, "answer", 6 * SECOND_MS)?;
        ensure_allows(&desk.matter(&first)?, "resolution", 40 * SECOND_MS)?;
        ensure_state(&desk.step(&first, &json!({ "kind": "answered" }))?, "answer", "met")?;
        put_off_once(&desk, &first)?;
        becomes_major(&desk, &first)?;
        is_no_complaint(&desk)?;
        waits_too_long(&desk, &waiting)
    });
}

/// A second time only as a special case that a supervisor records.
fn put_off_once(desk: &Desk, first: &str) -> Result<()> {
    let (once, twice) = (ahead(2 * HOUR_MS), ahead(4 * HOUR_MS));
    let put = desk.step(first, &put_off(&once, false))?;
    ensure!(at(&promise(&put, "resolution")?["due_at"])? == at(&json!(once))?, "{put}");
    let refused = Desk::try_step(&desk.noc, first, &put_off(&twice, false))?.expect(409)?;
    let says = refused["detail"].as_str().unwrap_or_default();
    ensure!(refused["code"] == "step_impossible" && says.contains("special case"), "{refused}");
    let possible = refused["possible"].as_array().context("what is possible")?;
    ensure!(possible.contains(&json!("resolved")), "{refused}");
    let forbidden = Desk::try_step(&desk.noc, first, &put_off(&twice, true))?.expect(403)?;
    ensure!(forbidden["code"] == "supervisor_only", "{forbidden}");
    ensure!(desk.matter(first)?["postponed"] == 1, "a refusal changes nothing");
    let special = Desk::try_step(&desk.head, first, &put_off(&twice, true))?.expect(200)?;
    ensure!(special["postponed"] == 2, "{special}");
    ensure!(at(&promise(&special, "resolution")?["due_at"])? == at(&json!(twice))?, "{special}");
    Ok(())
}

/// The customer complains again: major, counted from its beginning, closed by a signature only.
fn becomes_major(desk: &Desk, first: &str) -> Result<()> {
    let repeat = desk.take_in(&complaint("minor", Some(first)))?;
    let major = desk.matter(first)?;
    ensure!(major["class"] == "major" && major["level"] == 3, "{major}");
    ensure!(major["repeats"] == json!([repeat]), "linked: {major}");
    ensure_allows(&major, "resolution", 60 * SECOND_MS)?;
    let resolved = desk.step(first, &json!({ "kind": "resolved", "text": "made good" }))?;
    ensure_state(&resolved, "resolution", "met")?;
    let satisfied = desk.step(first, &called_back())?;
    ensure!(satisfied["state"] == "resolved", "a callback does not close what is major: {satisfied}");
    ensure_done(&desk.step(first, &json!({ "kind": "signed", "name": "sample customer" }))?, "closed")?;
    // The repeat is a complaint of its own.
    desk.step(&repeat, &json!({ "kind": "resolved", "text": "made good" }))?;
    ensure_done(&desk.step(&repeat, &called_back())?, "closed")
}

/// Only a supervisor judges so, and closes it.
fn is_no_complaint(desk: &Desk) -> Result<()> {
    let direct = desk.noc.post("/api/v1/matters", &complaint("invalid", None))?;
    ensure!(direct.status == 422, "{}", direct.body);
    let none = desk.take_in(&complaint("minor", None))?;
    let judged = |special: bool| json!({ "kind": "reclassed", "class": "invalid", "reason": "not ours", "special": special });
    Desk::try_step(&desk.noc, &none, &judged(false))?.expect(409)?;
    Desk::try_step(&desk.noc, &none, &judged(true))?.expect(403)?;
    let judged = Desk::try_step(&desk.head, &none, &judged(true))?.expect(200)?;
    ensure!(judged["class"] == "invalid" && promises(&judged, "resolution").is_empty(), "{judged}");
    let close = json!({ "kind": "closed_unconfirmed", "reason": "explained to the customer" });
    Desk::try_step(&desk.noc, &none, &close)?.expect(403)?;
    ensure_done(&Desk::try_step(&desk.head, &none, &close)?.expect(200)?, "closed_unconfirmed")
}

/// Nobody answered, and nobody said a word: both are missed, and told.
fn waits_too_long(desk: &Desk, waiting: &str) -> Result<()> {
    desk.wait_missed("answer", waiting)?;
    desk.mailbox.wait_for(BOUND, "the miss is told", |mail| mail.is_about(waiting, "answer", "missed"))?;
    desk.wait_missed("progress", waiting)?;
    let told = desk.step(waiting, &json!({ "kind": "told", "reached": true }))?;
    ensure!(promises(&told, "progress")[0]["state"] == "missed", "silence stays a miss: {told}");
    ensure_state(&told, "progress", "running")?;
    let late = desk.step(waiting, &json!({ "kind": "answered" }))?;
    let answer = promise(&late, "answer")?;
    ensure!(answer["state"] == "missed" && at(&answer["met_at"])? > at(&answer["due_at"])?, "{answer}");
    desk.step(waiting, &json!({ "kind": "resolved", "text": "made good" }))?;
    desk.step(waiting, &json!({ "kind": "callback", "reached": false }))?;
    ensure_done(&desk.step(waiting, &called_back())?, "closed")?;
    ensure!(desk.items("matters?kind=complaint")?.len() == 4, "each is kept");
    ensure!(desk.items("matters?kind=complaint&state=live")?.is_empty(), "and none is open");
    Ok(())
}
