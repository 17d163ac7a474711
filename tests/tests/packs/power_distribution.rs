//! `power-distribution`: a quarter's patrol of a site, on which an emergency and a general defect are found.

use anyhow::{Context, Result, ensure};
use linewatch_shared::matter::period;
use linewatch_shared::rules::{Every, Pack};
use linewatch_shared::time::{DAY_MS, HOUR_MS, SECOND_MS, UnixMs};
use linewatch_tests::harness::{Folder, story};
use serde_json::{Value, json};

use crate::desk::{Desk, at, ensure_allows, ensure_done, ensure_state, id, promise};
use crate::quick::Quick;

const CUSTOMER: &str = "CUST-1";
/// The points of the pack's list for lines.
const POINTS: [&str; 5] = ["poles", "conductors", "insulators", "clearance", "labels"];

fn quick() -> Result<Quick> {
    let class = |name| [("matter", "defect"), ("name", name)];
    Quick::of("power-distribution")?
        .with("class", &class("emergency"), &[("answer_within", "10s"), ("resolve_within", "20s")])?
        .with("class", &class("general"), &[("resolve_within", "5s")])?
        .with("cadence", &[("name", "quarterly")], &[("review_within", "30s")])
}

fn desk(folder: &Folder) -> Result<Desk> {
    let customers = format!(
        "code,name,tier,pack,manager,manager_email\n\
         {CUSTOMER},示例客户 (sample),standard,power-distribution,manager-1,manager-1@desk.example\n"
    );
    Desk::open(folder, &quick()?, &customers, "")
}

/// The round with the points as found: those that are not well, and of which class of defects.
fn made(wrong: &[(&str, &str)]) -> Value {
    let points = POINTS.map(|name| match wrong.iter().find(|(point, _)| *point == name) {
        Some((_, class)) => json!({ "name": name, "ok": false, "note": "see the photo", "class": class }),
        None => json!({ "name": name, "ok": true }),
    });
    json!({ "kind": "made", "mode": "on_site", "name": "sample keeper", "points": points })
}

#[test]
fn a_quarter_s_patrol_finds_an_emergency() {
    story(|folder| {
        let desk = desk(folder)?;
        let duty = json!({ "pack": "power-distribution", "cadence": "quarterly", "customer": CUSTOMER, "site": "Room 1" });
        desk.noc.post("/api/v1/duties", &duty)?.expect(200)?;
        let path = format!("matters?kind=patrol&customer={CUSTOMER}");
        let patrol =
            desk.wait_for(&path, "the quarter's round is owed", |round| round["site"] == "Room 1")?;
        let (_, text) = quick()?.file();
        let zone = Pack::parse(&text, "quick.toml").ok().context("the pack")?.time_zone;
        let (_, quarter_ends) = period(Every::Quarter, at(&patrol["opened_at"])?, zone);
        ensure!(
            at(&promise(&patrol, "patrol")?["due_at"])? == quarter_ends,
            "by the quarter's end: {patrol}"
        );

        let patrol = id(&patrol)?;
        let short = json!({ "kind": "made", "mode": "on_site", "points": [{ "name": "poles", "ok": true }] });
        let refused = Desk::try_step(&desk.noc, &patrol, &short)?.expect(409)?;
        ensure!(refused["detail"].as_str().is_some_and(|says| says.contains("insulators")), "{refused}");
        let round = desk.step(&patrol, &made(&[("insulators", "emergency"), ("labels", "general")]))?;
        ensure_state(&round, "patrol", "met")?;
        ensure!(round["failed_points"] == json!(["insulators", "labels"]), "{round}");
        let defects = desk.items(&format!("matters?kind=defect&customer={CUSTOMER}"))?;
        ensure!(defects.len() == 2 && defects.iter().all(|defect| defect["about"] == *patrol), "{defects:?}");
        let of_class =
            |class: &str| id(defects.iter().find(|defect| defect["class"] == class).context("defect")?);
        emergency(&desk, &of_class("emergency")?)?;
        general(&desk, &of_class("general")?)?;
        let reviewed = desk.step(&patrol, &json!({ "kind": "reviewed", "ok": true }))?;
        ensure_state(&reviewed, "review", "met")?;
        ensure_done(&reviewed, "closed")
    });
}

/// A permit that has all that the pack asks for.
fn permit(from: UnixMs) -> Value {
    let until = |span_ms: i64| (from + span_ms).to_rfc3339();
    json!({ "kind": "permit_granted", "permit": { "to": "sample electrician", "from": until(0), "until": until(HOUR_MS),
        "work": "insulator", "ticket": "T-1", "briefing": true,
        "certificates": [{ "name": "electrician", "valid_until": until(DAY_MS) }] } })
}

/// Told and dispatched at once, repaired under a permit, found not well on the second inspection, repaired again, and well.
fn emergency(desk: &Desk, defect: &str) -> Result<()> {
    ensure_allows(&desk.matter(defect)?, "answer", 10 * SECOND_MS)?;
    let sent = desk.step(defect, &json!({ "kind": "answered" }))?;
    ensure_state(&sent, "answer", "met")?;
    desk.step(defect, &json!({ "kind": "noticed", "name": "the site's owner" }))?;
    let repaired = json!({ "kind": "resolved", "text": "insulator changed" });
    desk.step(defect, &permit(at(&sent["opened_at"])?))?;
    desk.step(defect, &json!({ "kind": "permit_returned" }))?;
    ensure!(desk.step(defect, &repaired)?["state"] == "resolved");
    let not_well = desk.step(defect, &json!({ "kind": "inspected", "ok": false }))?;
    ensure!(not_well["state"] == "answered", "back to work: {not_well}");
    ensure_state(&not_well, "resolution", "running")?;
    desk.step(defect, &permit(at(&sent["opened_at"])?))?;
    desk.step(defect, &json!({ "kind": "permit_returned" }))?;
    desk.step(defect, &repaired)?;
    let well = desk.step(defect, &json!({ "kind": "inspected", "ok": true }))?;
    ensure_state(&well, "resolution", "met")?;
    ensure_done(&well, "closed")
}

/// Nobody repairs it in time: the miss stays when it is repaired and inspected after all.
fn general(desk: &Desk, defect: &str) -> Result<()> {
    desk.wait_missed("resolution", defect)?;
    let repaired = desk.step(defect, &json!({ "kind": "resolved", "text": "labels renewed" }))?;
    let work = promise(&repaired, "resolution")?;
    ensure!(work["state"] == "missed" && at(&work["met_at"])? > at(&work["due_at"])?, "{work}");
    let well = desk.step(defect, &json!({ "kind": "inspected", "ok": true }))?;
    ensure_state(&well, "resolution", "missed")?;
    ensure_done(&well, "closed")
}
