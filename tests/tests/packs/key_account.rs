//! `key-account`: visits by grade; a visit that is not made is told to the account manager, and to the deputy while
//! that one is away.

use anyhow::{Result, ensure};
use linewatch_shared::time::{DAY_MS, HOUR_MS, SECOND_MS};
use linewatch_tests::harness::{BOUND, Folder, story};
use serde_json::{Value, json};

use crate::desk::{Desk, ahead, at, ensure_allows, ensure_done, ensure_state, id, promise};
use crate::quick::Quick;

const MANAGER: &str = "manager-1@desk.example";
const DEPUTY: &str = "deputy-1@desk.example";
/// A month of this story.
const MONTH_S: i64 = 9;

fn desk(folder: &Folder) -> Result<Desk> {
    let pack = Quick::of("key-account")?
        .with("cadence", &[("name", "monthly")], &[("every", "9s"), ("review_within", "30s")])?
        .with("cadence", &[("name", "half-yearly")], &[("review_within", "30s")])?;
    let row = |code: &str, tier: &str| {
        format!("{code},示例客户 (sample),{tier},key-account,manager-1,{MANAGER},deputy-1,{DEPUTY}\n")
    };
    let head = "code,name,tier,pack,manager,manager_email,deputy,deputy_email\n";
    Desk::open(folder, &pack, &format!("{head}{}{}", row("GOLD", "gold"), row("PLAIN", "plain")), "")
}

/// The visit that is owed to a customer now.
fn owed(desk: &Desk, customer: &str) -> Result<Value> {
    let path = format!("matters?kind=visit&customer={customer}&state=open");
    desk.wait_for(&path, &format!("{customer} is owed a visit"), |_| true)
}

fn made(mode: &str, promises: &Value) -> Value {
    json!({ "kind": "made", "mode": mode, "name": "sample director", "promises": promises })
}

/// Waits for the mail that tells of a missed visit; answers whom it is for.
fn told(desk: &Desk, visit: &str) -> Result<Vec<String>> {
    let mail = desk
        .mailbox
        .wait_for(BOUND, "the missed visit is told", |mail| mail.is_about(visit, "visit", "missed"))?;
    Ok(mail.to)
}

#[test]
fn visits_by_grade_and_a_deputy_on_duty() {
    story(|folder| {
        let desk = desk(folder)?;
        let first = owed(&desk, "GOLD")?;
        ensure_allows(&first, "visit", MONTH_S * SECOND_MS)?;
        face_to_face(&desk, &id(&first)?)?;
        // Nobody comes: the account manager is told.
        let second = owed(&desk, "GOLD")?;
        ensure_allows(&second, "visit", MONTH_S * SECOND_MS)?;
        let second = id(&second)?;
        ensure!(told(&desk, &second)? == [MANAGER], "the account manager is told");
        desk.wait_missed("visit", &second)?;
        // The account manager goes away; the visit is made late, and the next one not at all.
        let away = json!({ "person": "manager-1", "until": ahead(HOUR_MS), "reason": "leave" });
        desk.noc.post("/api/v1/absences", &away)?.expect(201)?;
        let late = desk.step(&second, &made("face_to_face", &json!([])))?;
        let visit = promise(&late, "visit")?;
        ensure!(visit["state"] == "missed" && at(&visit["met_at"])? > at(&visit["due_at"])?, "{visit}");
        let third = id(&owed(&desk, "GOLD")?)?;
        ensure!(third != second && told(&desk, &third)? == [DEPUTY], "the deputy is told");
        by_telephone(&desk)
    });
}

/// A gold customer is visited face to face; what is promised there is owed by its day; a superior reviews the report.
fn face_to_face(desk: &Desk, visit: &str) -> Result<()> {
    let refused = Desk::try_step(&desk.noc, visit, &made("call", &json!([])))?.expect(409)?;
    ensure!(refused["detail"].as_str().is_some_and(|says| says.contains("face_to_face")), "{refused}");
    let day = ahead(2 * DAY_MS);
    let promises = json!([{ "title": "send the wiring plan", "until": day }]);
    let reported = desk.step(visit, &made("face_to_face", &promises))?;
    ensure_state(&reported, "visit", "met")?;
    ensure_state(&reported, "review", "running")?;
    let promised =
        desk.wait_for("matters?kind=promise", "the promise is owed", |one| one["about"] == *visit)?;
    ensure!(at(&promise(&promised, "resolution")?["due_at"])? == at(&json!(day))?, "{promised}");
    ensure_done(&desk.step(&id(&promised)?, &json!({ "kind": "resolved", "text": "sent" }))?, "closed")?;
    ensure_done(
        &Desk::try_step(&desk.head, visit, &json!({ "kind": "reviewed", "ok": true }))?.expect(200)?,
        "closed",
    )
}

/// A plain customer is owed a visit twice a year; a call counts.
fn by_telephone(desk: &Desk) -> Result<()> {
    let visit = owed(desk, "PLAIN")?;
    ensure_allows(&visit, "visit", 180 * DAY_MS)?;
    ensure_state(&desk.step(&id(&visit)?, &made("call", &json!([])))?, "visit", "met")
}
