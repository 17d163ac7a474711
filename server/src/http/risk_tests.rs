//! Customers at risk, and leaks, on both databases.

use std::sync::Arc;

use axum::http::Method;
use linewatch_shared::time::{DAY_MS, HOUR_MS, MINUTE_MS, UnixMs};
use serde_json::{Value, json};

use super::testing::{START, TestAnswer, TestDesk};
use crate::app::desk::Desk;
use crate::app::import;
use crate::app::matters::duties::{assign, begin_rounds};
use crate::auth::Role;
use crate::db::testing::{both, int};
use crate::db::{Db, Priority, Tx};

const CUSTOMERS: &str = "code,name,tier,manager\nbank,Sample Bank,AAA,Manager A\nmill,Sample Mill,AAA,Manager B\nshop,Sample Shop,standard,\n";
const LINES: &str = "code,customer\nL1,bank\nL2,mill\n";

async fn desk(db: Db) -> TestDesk {
    let desk = TestDesk::new(db).await;
    for file in [CUSTOMERS, LINES] {
        let packs = Arc::clone(&desk.app.packs);
        import::bytes(&desk.app.db, &packs, file.as_bytes(), false, START - DAY_MS).await.unwrap();
    }
    let inner = desk.app.desk.clone();
    let begin = move |tx: &mut Tx<'_>| {
        assign(&inner, tx, "", START)?;
        begin_rounds(&inner, tx, START)
    };
    desk.app.db.write(Priority::Engine, begin).await.unwrap();
    desk
}

async fn post(desk: &TestDesk, role: Role, path: &str, body: Value) -> TestAnswer {
    desk.call(Some(role), Method::POST, &format!("/api/v1{path}"), Some(body)).await
}

async fn items(desk: &TestDesk, path: &str) -> Vec<Value> {
    let answer = desk.call(Some(Role::Manager), Method::GET, &format!("/api/v1{path}"), None).await;
    answer.json["items"].as_array().unwrap_or_else(|| panic!("{}", answer.text)).clone()
}

/// A fault that is restored long after it should have been, and closed with that word.
async fn late_fault(desk: &TestDesk, result: &str) {
    let report = json!({ "line": "L1", "channel": "hotline", "reporter": "caller" });
    let fault = post(desk, Role::Noc, "/faults", report).await;
    assert_eq!(fault.status, 201, "{}", fault.text);
    let steps = format!("/faults/{}/facts", fault.json["id"].as_str().unwrap());
    desk.clock.advance(30 * HOUR_MS);
    for kind in ["restored", "repaired"] {
        assert_eq!(post(desk, Role::Noc, &steps, json!({ "kind": kind })).await.status, 200);
    }
    let mut said = vec![result];
    said.extend((result == "unsatisfied").then_some("satisfied"));
    for result in said {
        desk.clock.advance(1);
        if result == "satisfied" && said_before(desk, &steps).await {
            assert_eq!(post(desk, Role::Noc, &steps, json!({ "kind": "repaired" })).await.status, 200);
        }
        let callback = json!({ "kind": "callback", "reached": true, "result": result });
        let answer = post(desk, Role::Noc, &steps, callback).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    desk.clock.advance(DAY_MS);
}

/// Whether the customer has sent the fault back to work.
async fn said_before(desk: &TestDesk, steps: &str) -> bool {
    let path = format!("/api/v1{}", steps.trim_end_matches("/facts"));
    desk.call(Some(Role::Noc), Method::GET, &path, None).await.json["state"] == "restored"
}

fn reason<'a>(item: &'a Value, kind: &str) -> &'a Value {
    let found = item["reasons"].as_array().unwrap().iter().find(|reason| reason["kind"] == kind);
    found.unwrap_or(&Value::Null)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_be_lost_is_listed_with_reasons_and_an_earlier_visit() {
    both(|db| async move {
        let desk = desk(db).await;
        assert!(items(&desk, "/customers/at-risk").await.is_empty());
        late_fault(&desk, "satisfied").await;
        assert!(items(&desk, "/customers/at-risk").await.is_empty(), "one is not enough");
        late_fault(&desk, "unsatisfied").await;
        late_fault(&desk, "satisfied").await;
        let found = items(&desk, "/customers/at-risk").await;
        assert_eq!(found.len(), 1, "{found:?}");
        let bank = &found[0];
        assert_eq!((&bank["customer"], &bank["manager"]), (&json!("bank"), &json!("Manager A")));
        assert_eq!(reason(bank, "missed_promises")["count"], 3, "{bank}");
        assert_eq!(reason(bank, "unsatisfied_callbacks")["count"], 1, "{bank}");
        let repeat = reason(bank, "repeat_faults");
        assert_eq!(
            (&repeat["count"], &repeat["limit"], &repeat["line"]),
            (&json!(3), &json!(4), &json!("L1"))
        );

        // The visit that is owed is proposed earlier; planned so, it is proposed no more.
        let visit = &bank["visit"];
        let proposed = visit["proposed_by"].as_str().unwrap();
        assert_eq!(proposed, (desk.app.now() + 7 * DAY_MS).to_rfc3339());
        let plan = format!("/matters/{}/facts", visit["matter"].as_str().unwrap());
        let planned = json!({ "kind": "planned", "until": (desk.app.now() + 3 * DAY_MS).to_rfc3339() });
        let answer = post(&desk, Role::Manager, &plan, planned).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(items(&desk, "/customers/at-risk").await[0]["visit"]["proposed_by"], Value::Null);

        diary(&desk).await;
        by_hand(&desk).await;
        desk.clock.advance(100 * DAY_MS);
        let kinds: Vec<Value> = items(&desk, "/customers/at-risk?manager=Manager%20A").await;
        let old = kinds.iter().any(|item| *reason(item, "unsatisfied_callbacks") != Value::Null);
        assert!(!old, "what is long ago is forgotten: {kinds:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_says_who_counts_as_at_risk() {
    both(|db| async move {
        let folder = tempfile::tempdir().unwrap();
        let pack = include_str!("../../../shared/packs/group-line.toml");
        let rules = "\n[at_risk]\nlook_back = \"10d\"\nmissed_promises = 1\ncomplaints = 0\n\
             repeat_faults_short = \"off\"\nunsatisfied_callbacks = 0\nvisit_within = \"2d\"\n";
        let pack = pack.replace("\"2026.1\"", "\"2026.9\"");
        std::fs::write(folder.path().join("group-line.toml"), format!("{pack}{rules}")).unwrap();
        let settings = format!("packs.dir = '{}'\n", folder.path().display());
        let desk = TestDesk::with(db, "http://desk.test", &settings).await;
        for file in [CUSTOMERS, LINES] {
            let packs = Arc::clone(&desk.app.packs);
            import::bytes(&desk.app.db, &packs, file.as_bytes(), false, START - DAY_MS).await.unwrap();
        }
        for _ in 0..3 {
            late_fault(&desk, "satisfied").await;
        }
        let found = items(&desk, "/customers/at-risk").await;
        let kinds = |item: &Value| -> Vec<Value> {
            item["reasons"].as_array().unwrap().iter().map(|reason| reason["kind"].clone()).collect()
        };
        assert_eq!(kinds(&found[0]), ["missed_promises"], "a fourth fault would be the limit: {found:?}");
        assert_eq!(reason(&found[0], "missed_promises")["count"], 3);
        desk.clock.advance(11 * DAY_MS);
        assert!(items(&desk, "/customers/at-risk").await.is_empty());
    })
    .await;
}

/// Each visit and call stands in the diary once.
async fn diary(desk: &TestDesk) {
    let url = |manager: &str, until: UnixMs| {
        let from = START.to_rfc3339();
        format!("/api/v1/managers/{manager}/diary?from={from}&until={}", until.to_rfc3339())
    };
    let read = async |url: String| desk.call(Some(Role::Manager), Method::GET, &url, None).await;
    let answer = read(url("Manager%20A", START + 30 * DAY_MS)).await;
    let entries = answer.json["entries"].as_array().unwrap_or_else(|| panic!("{}", answer.text)).clone();
    let of = |kind: &str, state: &str| {
        entries.iter().filter(|entry| entry["kind"] == kind && entry["state"] == state).count()
    };
    assert_eq!((of("visit", "planned"), of("callback", "made"), entries.len()), (1, 4, 5), "{entries:?}");
    assert_eq!(answer.json["cut"], false);
    // What is owed to who has just called is a call that is planned.
    let report = json!({ "line": "L1", "channel": "hotline", "reporter": "sample caller" });
    assert_eq!(post(desk, Role::Noc, "/faults", report).await.status, 201);
    let answer = read(url("Manager%20A", START + 30 * DAY_MS)).await;
    let feedback: Vec<&Value> =
        answer.json["entries"].as_array().unwrap().iter().filter(|e| e["kind"] == "feedback").collect();
    let due = (desk.app.now() + 30 * MINUTE_MS).to_rfc3339();
    assert_eq!(
        (feedback.len(), &feedback[0]["state"], &feedback[0]["at"]),
        (1, &json!("planned"), &json!(due))
    );
    let other = read(url("Manager%20B", START + 30 * DAY_MS)).await;
    assert_eq!(other.json["entries"], json!([]));
    assert_eq!(read(url("Manager%20A", START)).await.json["field"], "until");
}

async fn by_hand(desk: &TestDesk) {
    let entered =
        post(desk, Role::Manager, "/customers/mill/risks", json!({ "reason": "asked for offers" })).await;
    assert_eq!(entered.status, 201, "{}", entered.text);
    let nobody = post(desk, Role::Manager, "/customers/nobody/risks", json!({ "reason": "x" })).await;
    assert_eq!((nobody.status.as_u16(), nobody.json["code"].as_str()), (404, Some("unknown_customer")));
    let mine = items(desk, "/customers/at-risk?manager=Manager%20B").await;
    assert_eq!(reason(&mine[0], "entered")["text"], "asked for offers");
    let path = format!("/api/v1/risks/{}", entered.json["id"].as_str().unwrap());
    for status in [204, 404] {
        let answer = desk.call(Some(Role::Manager), Method::DELETE, &path, None).await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
    assert!(items(desk, "/customers/at-risk?manager=Manager%20B").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leak_is_followed_for_each_customer_until_a_supervisor_closes_it() {
    both(|db| async move {
        let desk = desk(db).await;
        let learnt: UnixMs = START - HOUR_MS;
        let leak = json!({ "what": "a list was left in a taxi", "customers": ["bank", "mill"],
            "learnt_at": learnt.to_rfc3339() });
        for (customers, words) in [
            (json!([]), "are 1 to 200"),
            (json!(["bank", "bank"]), "stands there twice"),
            (json!(["bank", "nobody"]), "there is no customer called"),
            (json!(["bank", "shop"]), "has no account manager"),
        ] {
            let mut body = leak.clone();
            body["customers"] = customers;
            let answer = post(&desk, Role::Technician, "/leaks", body).await;
            assert_eq!(answer.status, 422, "{}", answer.text);
            assert!(answer.text.contains(words), "{}", answer.text);
        }
        let live = "SELECT COUNT(*) FROM matter WHERE class = 'leak' AND live = 1";
        assert_eq!(int(&desk.app.db, live).await.unwrap(), 0, "a refusal opens none of them");
        let made = post(&desk, Role::Technician, "/leaks", leak).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let found = items(&desk, "/matters?class=leak").await;
        assert_eq!(found.len(), 2, "{found:?}");
        let owned = |name: &str| found.iter().filter(|matter| matter["owner"] == name).count();
        assert_eq!((owned("Manager A"), owned("Manager B")), (1, 1));

        let id = made.json["matters"][0]["id"].as_str().unwrap().to_owned();
        let steps = format!("/matters/{id}/facts");
        let take = |role, body| post(&desk, role, &steps, body);
        assert_eq!(take(Role::Manager, json!({ "kind": "answered" })).await.status, 200);
        assert_eq!(
            take(Role::Manager, json!({ "kind": "resolved", "text": "found again" })).await.status,
            200
        );
        let close = json!({ "kind": "closed_unconfirmed", "reason": "found again, nobody had looked" });
        assert_eq!(take(Role::Noc, close.clone()).await.status, 403);
        assert_eq!(take(Role::Admin, close).await.status, 200);
        assert_eq!(int(&desk.app.db, live).await.unwrap(), 1, "each customer's is its own");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn supervisors_are_told_of_a_leak_at_once() {
    both(|db| async move {
        let desk = desk(db).await;
        let channels = crate::app::desk::Channels { email: true, ..Default::default() };
        let supervisors = vec!["head@example.invalid".to_owned()];
        let inner = Desk { channels, supervisors, ..desk.app.desk.clone() };
        let now = desk.app.now();
        let new = crate::app::leaks::NewLeak {
            id: uuid::Uuid::from_u128(5),
            what: "a list was left in a taxi".to_owned(),
            customers: vec!["bank".to_owned()],
            learnt_at: now,
            owner: String::new(),
            by: "technician".to_owned(),
        };
        let report = move |tx: &mut Tx<'_>| crate::app::leaks::report(&inner, tx, &new, now).map(drop);
        desk.app.db.write(Priority::Api, report).await.unwrap();
        let told = "SELECT COUNT(*) FROM outbox WHERE destination = 'head@example.invalid'";
        assert_eq!(int(&desk.app.db, told).await.unwrap(), 1);
    })
    .await;
}
