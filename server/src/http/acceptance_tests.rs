//! Acceptance of new lines and sites, through the API, on both databases.

use std::sync::Arc;

use axum::http::Method;
use linewatch_shared::time::{DAY_MS, HOUR_MS, MINUTE_MS, UnixMs};
use serde_json::{Value, json};

use super::testing::{START, TestAnswer, TestDesk};
use crate::app::import;
use crate::app::matters::duties;
use crate::auth::Role;
use crate::db::testing::both;
use crate::db::{Db, DbError, Priority};

const CUSTOMERS: &str = "code,name,tier,pack,manager\nbank,Sample Bank,group,gov-enterprise,manager\n\
     shop,Sample Shop,AAA,group-line,manager\n";
const LINES: &str = "code,customer,site,service\nL1,bank,HQ,sdh\nL2,bank,HQ,sdh\nS1,shop,Counter,\n";

/// A pack like the shipped one, in which promises wait for the acceptance, and availability is promised.
fn strict_pack() -> String {
    let (_, text) =
        linewatch_shared::rules::SHIPPED.iter().find(|(name, _)| *name == "gov-enterprise.toml").unwrap();
    let text = text.replace("version = \"2026.1\"", "version = \"2026.1-strict\"");
    let text = text.replace("promised_from = \"start\"", "promised_from = \"acceptance\"");
    let text = text.replace("at_import = false", "at_import = true");
    text + "\n[availability]\nat_least = \"99%\"\nover = \"year\"\n"
}

async fn desk(db: Db) -> TestDesk {
    desk_with(db, "").await
}

async fn desk_with(db: Db, settings: &str) -> TestDesk {
    let desk = TestDesk::with(db, "http://desk.test", settings).await;
    for file in [CUSTOMERS, LINES] {
        let packs = Arc::clone(&desk.app.packs);
        import::bytes(&desk.app.db, &packs, file.as_bytes(), false, desk.app.now()).await.unwrap();
    }
    desk
}

async fn post(desk: &TestDesk, role: Role, path: &str, body: Value) -> TestAnswer {
    desk.call(Some(role), Method::POST, &format!("/api/v1{path}"), Some(body)).await
}

async fn get(desk: &TestDesk, path: &str) -> Value {
    let answer = desk.call(Some(Role::Noc), Method::GET, &format!("/api/v1{path}"), None).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.json
}

fn at(offset_ms: i64) -> String {
    (START + offset_ms).to_rfc3339()
}

/// What was inspected, as the shipped checklist of lines asks for it.
fn made(power: f64, ok: bool) -> Value {
    let well = |name: &str| json!({ "name": name, "ok": true });
    let measured = |name: &str, reading: f64| json!({ "name": name, "ok": true, "reading": reading });
    let points = json!([
        { "name": "optical_power", "ok": ok, "reading": power }, measured("fibre_loss", 3.2),
        measured("packet_loss", 0.0), measured("round_trip", 12.5), well("bandwidth"), well("labels"),
        well("earthing"), well("documents"), well("cleared"),
    ]);
    json!({ "kind": "made", "mode": "on_site", "name": "SECRET host", "points": points })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_is_accepted_by_both_sides_or_refused_and_inspected_once_more() {
    both(|db| async move {
        let desk = desk(db).await;
        let opened = post(&desk, Role::Manager, "/lines/L1/acceptance", json!({})).await;
        assert_eq!(opened.status, 201, "{}", opened.text);
        assert_eq!(
            (&opened.json["class"], &opened.json["owner"]),
            (&json!("line-acceptance"), &json!("manager"))
        );
        let matter = format!("/matters/{}/facts", opened.json["id"].as_str().unwrap());
        assert_eq!(get(&desk, "/lines/L1").await["acceptance"]["state"], "open");
        refusals(&desk, &matter).await;

        desk.clock.advance(HOUR_MS);
        let outside = post(&desk, Role::Noc, &matter, made(-30.0, true)).await;
        assert!(outside.status == 409 && outside.text.contains("-24 to -8 dBm"), "{}", outside.text);
        assert_eq!(post(&desk, Role::Noc, &matter, made(-30.0, false)).await.status, 200);
        let refused = get(&desk, "/lines/L1").await["acceptance"].clone();
        assert_eq!((&refused["state"], &refused["refusals"]), (&json!("refused"), &json!(1)));
        let defects = get(&desk, "/matters?kind=defect").await;
        assert_eq!(defects["items"][0]["title"], "L1: optical_power");
        assert_eq!(defects["items"][0]["line"], "L1");

        desk.clock.advance(DAY_MS);
        assert_eq!(post(&desk, Role::Noc, &matter, made(-18.5, true)).await.status, 200);
        let sign = |side: &str, name: &str| json!({ "kind": "signed", "side": side, "name": name });
        let ours = post(&desk, Role::Technician, &matter, sign("ours", "Our Engineer")).await;
        assert_eq!(
            (&ours.json["state"], &ours.json["acceptance"]["state"]),
            (&json!("resolved"), &json!("inspected"))
        );
        let same = post(&desk, Role::Noc, &matter, sign("customer", "our engineer")).await;
        assert!(same.status == 409 && same.text.contains("whoever signs for us"), "{}", same.text);
        assert!(
            !same.json["detail"].as_str().unwrap().contains("ngineer"),
            "no name in a refusal: {}",
            same.text
        );
        let both = post(&desk, Role::Noc, &matter, sign("customer", "SECRET signer")).await;
        assert_eq!(
            (&both.json["state"], &both.json["signatures"][1]["signer"]),
            (&json!("closed"), &json!("SECRET signer"))
        );
        let owed = both.json["deadlines"].as_array().unwrap();
        let states: Vec<&Value> = owed.iter().map(|deadline| &deadline["state"]).collect();
        assert_eq!(states, ["met", "met"], "the visit that was refused, and the one that was not");
        let line = get(&desk, "/lines/L1").await;
        assert_eq!(line["acceptance"]["accepted_at"], at(DAY_MS + HOUR_MS));
        assert_eq!(
            (&line["acceptance"]["accepted_by"], &line["in_service"]),
            (&json!("Our Engineer"), &json!("2026-09-22"))
        );
        assert!(!line.to_string().contains("SECRET"), "{line}");
        let again = post(&desk, Role::Noc, "/lines/L1/acceptance", json!({})).await;
        assert!(again.status == 409 && again.text.contains("it was accepted at"), "{}", again.text);
        erased(&desk, matter.strip_suffix("/facts").unwrap()).await;
    })
    .await;
}

/// Who signed for the customer is forgotten with it; that both signed is not.
async fn erased(desk: &TestDesk, matter: &str) {
    let end = json!({ "ends_at": desk.app.now().to_rfc3339() });
    let ended =
        desk.call(Some(Role::Admin), Method::PUT, "/api/v1/customers/bank/service-end", Some(end)).await;
    assert_eq!(ended.status, 200, "{}", ended.text);
    let erasure = post(desk, Role::Admin, "/customers/bank/erasure", json!({ "reason": "asked for" })).await;
    assert!(erasure.status.is_success(), "{}", erasure.text);
    // The note has it found again from its facts.
    let note =
        post(desk, Role::Noc, &format!("{matter}/facts"), json!({ "kind": "note", "text": "filed" })).await;
    assert_eq!(
        (&note.json["state"], &note.json["acceptance"]["state"]),
        (&json!("closed"), &json!("accepted"))
    );
    assert!(!note.text.contains("SECRET"), "{}", note.text);
    assert_eq!(note.json["signatures"][0]["signer"], "Our Engineer");
    assert_eq!(note.json["signatures"][1]["signer"], "[erased]");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signed_is_withheld_without_an_agreement() {
    both(|db| async move {
        let desk = desk_with(db, "[desk]\nconfidentiality = true\n").await;
        let opened = post(&desk, Role::Noc, "/lines/L2/acceptance", json!({})).await;
        let matter = format!("/matters/{}", opened.json["id"].as_str().unwrap());
        assert_eq!(post(&desk, Role::Noc, &format!("{matter}/facts"), made(-18.5, true)).await.status, 200);
        let signed = json!({ "kind": "signed", "side": "customer", "name": "SECRET signer" });
        assert_eq!(post(&desk, Role::Noc, &format!("{matter}/facts"), signed).await.status, 200);
        for path in [matter.as_str(), "/matters", "/lines/L2"] {
            assert!(!get(&desk, path).await.to_string().contains("SECRET"), "{path}");
        }
    })
    .await;
}

async fn refusals(desk: &TestDesk, matter: &str) {
    let answer = post(desk, Role::Noc, "/lines/L1/acceptance", json!({})).await;
    assert!(answer.status == 409 && answer.text.contains("is to be accepted already"), "{}", answer.text);
    for (path, body, status, said) in [
        ("/lines/L9/acceptance", json!({}), 404, "no line"),
        (
            "/lines/S1/acceptance",
            json!({}),
            422,
            "no pack that is for the customer has an [[acceptance]] of a line",
        ),
        ("/lines/L2/acceptance", json!({ "name": "other" }), 422, "known: line-acceptance"),
        ("/lines/L2/acceptance", json!({ "handed_over_at": at(DAY_MS) }), 422, "handed_over_at"),
        ("/lines/L2/acceptance", json!({ "signed": true }), 422, "signed"),
        (
            matter,
            json!({ "kind": "signed", "side": "ours", "name": "Our Engineer" }),
            409,
            "possible now: planned, made",
        ),
        (matter, json!({ "kind": "signed", "side": "both", "name": "Our Engineer" }), 422, "ours, customer"),
        (matter, json!({ "kind": "reviewed", "ok": true }), 409, "not possible"),
        (
            matter,
            json!({ "kind": "made", "mode": "on_site", "points": [{ "name": "labels", "ok": true, "reading": 1e12 }] }),
            422,
            "a reading lies",
        ),
    ] {
        let answer = post(desk, Role::Noc, path, body.clone()).await;
        assert!(
            answer.status == status && answer.text.contains(said),
            "{body}: {} {}",
            answer.status,
            answer.text
        );
    }
    assert_eq!(get(desk, "/lines/L2").await["acceptance"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_is_accepted_within_its_hours_and_called_off_without_a_trace_in_its_state() {
    both(|db| async move {
        let desk = desk(db).await;
        let site = json!({ "customer": "bank", "name": "HQ", "access_hours": "Mon-Fri 09:00-12:00" });
        let site = post(&desk, Role::Admin, "/sites", site).await;
        let site = format!("/sites/{}", site.json["id"].as_str().unwrap());
        let opened =
            post(&desk, Role::Noc, &format!("{site}/acceptance"), json!({ "owner": "technician" })).await;
        assert_eq!(
            (&opened.json["class"], &opened.json["owner"]),
            (&json!("site-acceptance"), &json!("technician")),
            "{}",
            opened.text
        );
        let matter = format!("/matters/{}/facts", opened.json["id"].as_str().unwrap());
        let plan = post(
            &desk,
            Role::Noc,
            &matter,
            json!({ "kind": "planned", "until": "2026-09-26T10:00:00+08:00" }),
        )
        .await;
        assert!(plan.status == 422 && plan.text.contains("lets us in again"), "{}", plan.text);
        assert_eq!(get(&desk, &site).await["acceptance"]["state"], "open");
        let off = json!({ "kind": "cancelled", "reason": "not built" });
        assert_eq!(post(&desk, Role::Noc, &matter, off).await.status, 200);
        assert_eq!(get(&desk, &site).await["acceptance"], Value::Null);
        let again = post(&desk, Role::Noc, &format!("{site}/acceptance"), json!({})).await;
        assert_eq!(again.status, 201, "{}", again.text);
    })
    .await;
}

async fn assign(desk: &TestDesk) {
    let (inner, now) = (desk.app.desk.clone(), desk.app.now());
    let assigned: Result<_, DbError> =
        desk.app.db.write(Priority::Engine, move |tx| duties::assign(&inner, tx, "", now)).await;
    assigned.unwrap();
}

async fn report(desk: &TestDesk, line: &str, reported_at: UnixMs) -> String {
    let body = json!({ "line": line, "channel": "noc", "reported_at": reported_at.to_rfc3339() });
    let fault = post(desk, Role::Noc, "/faults", body).await;
    assert_eq!(fault.status, 201, "{}", fault.text);
    format!("/faults/{}", fault.json["id"].as_str().unwrap())
}

/// Where the pack says so, a line that is new to an import waits for its acceptance, and so do its promises. A signature
/// that is written down late is judged as of its own time: a fault after it was promised something all along.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_promised_may_wait_for_the_acceptance() {
    both(|db| async move {
        let packs = tempfile::tempdir().unwrap();
        std::fs::write(packs.path().join("gov-enterprise.toml"), strict_pack()).unwrap();
        let desk = desk_with(db, &format!("[packs]\ndir = '{}'\n", packs.path().display())).await;
        assign(&desk).await;
        assign(&desk).await;
        let open = get(&desk, "/matters?kind=visit&class=line-acceptance").await;
        assert_eq!(open["items"].as_array().unwrap().len(), 2, "each new line once, of those whose pack says so: {open}");
        let line = get(&desk, "/lines/L1").await;
        let matter = format!("/matters/{}/facts", line["acceptance"]["matter"].as_str().unwrap());
        let availability = get(&desk, "/availability").await;
        assert_eq!(availability["items"], json!([]), "nothing is held against anybody before the acceptance");

        desk.clock.advance(6 * HOUR_MS);
        let early = report(&desk, "L1", START + HOUR_MS).await;
        let owes = async |fault: &str| get(&desk, fault).await["deadlines"].as_array().unwrap().len();
        assert_eq!(owes(&early).await, 0);
        let why = get(&desk, &early).await["not_promised"].clone();
        assert!(why.as_str().unwrap().starts_with("it began before the line was accepted"), "{why}");
        let done = json!({ "kind": "restored", "occurred_at": at(2 * HOUR_MS) });
        assert_eq!(post(&desk, Role::Noc, &format!("{early}/facts"), done).await.status, 200);
        let repaired = json!({ "kind": "repaired", "occurred_at": at(2 * HOUR_MS + 1) });
        assert_eq!(post(&desk, Role::Noc, &format!("{early}/facts"), repaired).await.status, 200);
        let asked = json!({ "kind": "callback", "reached": true, "result": "satisfied", "occurred_at": at(2 * HOUR_MS + 2) });
        assert_eq!(post(&desk, Role::Noc, &format!("{early}/facts"), asked).await.status, 200);

        let late = report(&desk, "L1", START + 5 * HOUR_MS).await;
        assert_eq!(owes(&late).await, 0, "not accepted, as far as is known");
        let mut inspected = made(-18.5, true);
        inspected["occurred_at"] = json!(at(3 * HOUR_MS));
        assert_eq!(post(&desk, Role::Noc, &matter, inspected).await.status, 200);
        for (side, name) in [("ours", "Our Engineer"), ("customer", "Sample signer")] {
            let signed = json!({ "kind": "signed", "side": side, "name": name, "occurred_at": at(4 * HOUR_MS) });
            assert_eq!(post(&desk, Role::Noc, &matter, signed).await.status, 200);
        }
        assert!(owes(&late).await > 0, "{}", get(&desk, &late).await);
        assert_eq!(get(&desk, &late).await["not_promised"], Value::Null);
        assert_eq!(owes(&early).await, 0, "what began before stays as it was");
        desk.clock.advance(MINUTE_MS);
        let availability = get(&desk, "/availability").await;
        let of: Vec<&Value> = availability["items"].as_array().unwrap().iter().map(|item| &item["line"]).collect();
        assert_eq!(of, ["L1"], "counted from its acceptance on; L2 still waits");
        assert_eq!(availability["items"][0]["from"], at(4 * HOUR_MS));
        assert_eq!(availability["items"][0]["interruption_ms"], HOUR_MS + MINUTE_MS, "{availability}");
    })
    .await;
}
