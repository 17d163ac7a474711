//! Who is told whom to call, and whose customers are promised anything, on both databases.

use std::sync::Arc;

use axum::http::{HeaderMap, Method};
use linewatch_shared::time::{DAY_MS, HOUR_MS, UnixMs};
use serde_json::{Value, json};

use super::testing::{START, TestAnswer, TestDesk};
use crate::app::import;
use crate::auth::Role;
use crate::db::testing::{both, int};
use crate::db::{Db, Priority, Tx};

const CUSTOMERS: &str = "code,name,tier,manager,contact_name,contact_phone\nbank,Sample Bank,AAA,Manager A,SECRET Person,SECRET 010-1\n";
const LINES: &str = "code,customer,site\nL1,bank,HQ\n";

async fn desk(db: Db, more: &str) -> TestDesk {
    let desk = TestDesk::with(db, "http://desk.test", more).await;
    for file in [CUSTOMERS, LINES] {
        let packs = Arc::clone(&desk.app.packs);
        import::bytes(&desk.app.db, &packs, file.as_bytes(), false, START).await.unwrap();
    }
    desk
}

async fn call(desk: &TestDesk, role: Role, method: Method, path: &str, body: Option<Value>) -> TestAnswer {
    desk.call(Some(role), method, &format!("/api/v1{path}"), body).await
}

async fn post(desk: &TestDesk, role: Role, path: &str, body: Value) -> TestAnswer {
    call(desk, role, Method::POST, path, Some(body)).await
}

async fn get(desk: &TestDesk, role: Role, path: &str) -> TestAnswer {
    call(desk, role, Method::GET, path, None).await
}

fn said(headers: &HeaderMap) -> &str {
    headers.get("x-linewatch-withheld").map_or("", |value| value.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_agreement_nobody_is_told_whom_to_call() {
    both(|db| async move {
        let desk = desk(db, "[desk]\nconfidentiality = true\n").await;
        let report = json!({ "line": "L1", "channel": "hotline", "reporter": "SECRET caller" });
        let fault = post(&desk, Role::Noc, "/faults", report).await;
        assert_eq!(fault.status, 201, "{}", fault.text);
        let fault = format!("/faults/{}", fault.json["id"].as_str().unwrap());
        let complaint = json!({ "kind": "complaint", "class": "minor", "customer": "bank", "title": "no invoice",
            "reporter": "SECRET asker" });
        let matter = post(&desk, Role::Noc, "/matters", complaint).await;
        let matter = format!("/matters/{}", matter.json["id"].as_str().unwrap());
        post(&desk, Role::Noc, &format!("{matter}/facts"), json!({ "kind": "resolved", "text": "sent" })).await;
        let signed = json!({ "kind": "signed", "name": "SECRET signature" });
        assert_eq!(post(&desk, Role::Noc, &format!("{matter}/facts"), signed).await.status, 200);
        let site = json!({ "customer": "bank", "name": "HQ", "access_phone": "SECRET 010-2" });
        let site = post(&desk, Role::Admin, "/sites", site).await;
        let site = format!("/sites/{}", site.json["id"].as_str().unwrap());
        let paths = ["/customers", "/customers/incomplete", "/board", "/faults", fault.as_str(), matter.as_str(), site.as_str()];
        for path in paths {
            for role in [Role::Noc, Role::Admin] {
                let answer = get(&desk, role, path).await;
                assert_eq!(answer.status, 200, "{path}: {}", answer.text);
                assert!(!answer.text.contains("SECRET"), "{path}: {}", answer.text);
                assert_ne!(said(&answer.headers), "", "{path}: {}", answer.text);
                let reason = answer.json["withheld"]["reason"].as_str().unwrap();
                assert!(reason.starts_with("no agreement of confidentiality of "), "{reason}");
            }
        }
        let export = get(&desk, Role::Admin, "/export/customers").await;
        assert_eq!((export.status.as_u16(), export.json["code"].as_str()), (403, Some("no_agreement")));

        let until = |days: i64| (START + days * DAY_MS).to_rfc3339();
        for role in [Role::Noc, Role::Admin] {
            let body = json!({ "person": role.name(), "until": until(60), "document": "file 7" });
            let made = post(&desk, Role::Admin, "/agreements", body).await;
            assert_eq!((made.status.as_u16(), &made.json["state"]), (201, &json!("valid")), "{}", made.text);
        }
        for path in paths {
            let answer = get(&desk, Role::Noc, path).await;
            assert!(answer.text.contains("SECRET"), "{path}: {}", answer.text);
            assert_eq!((said(&answer.headers), &answer.json["withheld"]), ("", &Value::Null));
        }
        assert_eq!(get(&desk, Role::Admin, "/export/customers").await.status, 200);
        assert!(!get(&desk, Role::Technician, &fault).await.text.contains("SECRET"), "each for himself");

        refused(&desk).await;
        renewals(&desk, &fault).await;
    })
    .await;
}

async fn refused(desk: &TestDesk) {
    let body = |field: &str, value: Value| {
        let mut body =
            json!({ "person": "technician", "until": (START + DAY_MS).to_rfc3339(), "document": "file 7" });
        body[field] = value;
        body
    };
    let cases = [
        body("until", json!((START - 1).to_rfc3339())),
        body("signed_at", json!((START + HOUR_MS).to_rfc3339())),
        body("until", json!("2099-01-01T00:00:00Z")),
        body("document", json!(" ")),
        body("colour", json!("red")),
    ];
    for case in cases {
        let answer = post(desk, Role::Admin, "/agreements", case.clone()).await;
        assert_eq!(answer.status, 422, "{case}: {}", answer.text);
    }
    assert_eq!(int(&desk.app.db, "SELECT COUNT(*) FROM agreement").await.unwrap(), 2);
}

/// They are listed before they end, and hold no more once they have.
async fn renewals(desk: &TestDesk, fault: &str) {
    let listed = async |now: UnixMs| {
        desk.clock.advance(now.since(desk.app.now()));
        let items = get(desk, Role::Admin, "/agreements/expiring").await.json["items"].clone();
        let name =
            |item: &Value| (item["person"].as_str().unwrap().to_owned(), item["holds"].as_bool().unwrap());
        items.as_array().unwrap().iter().map(name).collect::<Vec<_>>()
    };
    let own = |name: &str, holds| (name.to_owned(), holds);
    assert_eq!(listed(START + 29 * DAY_MS).await, [own("manager", false), own("technician", false)]);
    let all = [own("admin", true), own("manager", false), own("noc", true), own("technician", false)];
    assert_eq!(listed(START + 31 * DAY_MS).await, all);
    let id = get(desk, Role::Admin, "/agreements?person=noc").await.json["items"][0]["id"].clone();
    let path = format!("/agreements/{}", id.as_str().unwrap());
    assert_eq!(call(desk, Role::Admin, Method::DELETE, &path, None).await.status, 204);
    assert!(!get(desk, Role::Noc, fault).await.text.contains("SECRET"), "ended early");
    assert_eq!(call(desk, Role::Admin, Method::DELETE, &path, None).await.status, 404);
    desk.clock.advance(30 * DAY_MS);
    assert_eq!(get(desk, Role::Admin, "/customers").await.json["items"][0]["contact_name"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_switched_on_withholds_nothing() {
    both(|db| async move {
        let desk = desk(db, "").await;
        let answer = get(&desk, Role::Technician, "/customers").await;
        assert!(
            answer.text.contains("SECRET Person") && answer.json.get("withheld").is_none(),
            "{}",
            answer.text
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_customer_is_promised_nothing_until_somebody_else_admits_it() {
    both(|db| async move {
        let desk = desk(db, "[desk]\nadmission = true\n").await;
        let new = json!({ "code": "shop", "name": "Sample Shop", "tier": "AAA", "manager": "Manager B" });
        let made = post(&desk, Role::Manager, "/customers", new.clone()).await;
        assert_eq!((made.status.as_u16(), &made.json["state"]), (201, &json!("proposed")), "{}", made.text);
        for (field, value) in [("tier", "no such"), ("code", "a b"), ("code", "bank"), ("manager_email", "x")]
        {
            let mut body = new.clone();
            body[field] = json!(value);
            let answer = post(&desk, Role::Manager, "/customers", body).await;
            let found = (answer.status.as_u16(), answer.json["field"].as_str());
            assert_eq!(found, (422, Some(field)), "{field} {value}: {}", answer.text);
        }
        let packs = Arc::clone(&desk.app.packs);
        let lines = "code,customer\nL9,shop\n";
        import::bytes(&desk.app.db, &packs, lines.as_bytes(), false, START).await.unwrap();
        let report = |line: &str| json!({ "line": line, "channel": "hotline", "reporter": "caller" });
        let fault = post(&desk, Role::Noc, "/faults", report("L9")).await;
        assert_eq!(
            (fault.status.as_u16(), &fault.json["restoration"]),
            (201, &Value::Null),
            "{}",
            fault.text
        );
        let why = "the customer is proposed: nothing is promised before it is admitted";
        assert_eq!(fault.json["not_promised"], why);
        assert_ne!(post(&desk, Role::Noc, "/faults", report("L1")).await.json["restoration"], Value::Null);
        let inner = desk.app.desk.clone();
        let assign = move |tx: &mut Tx<'_>| crate::app::matters::duties::assign(&inner, tx, "", START);
        desk.app.db.write(Priority::Engine, assign).await.unwrap();
        let duties = "SELECT COUNT(*) FROM duty WHERE customer = 'shop'";
        assert_eq!(int(&desk.app.db, duties).await.unwrap(), 0);

        let path = "/customers/shop/admission";
        let yes = json!({ "admitted": true });
        assert_eq!(post(&desk, Role::Noc, path, yes.clone()).await.status, 403);
        let own = post(&desk, Role::Manager, path, yes.clone()).await;
        assert_eq!(own.status, 409, "{}", own.text);
        assert_eq!(
            post(&desk, Role::Admin, path, json!({ "admitted": false })).await.json["field"],
            "reason"
        );
        let no = json!({ "admitted": false, "reason": "no contract yet" });
        assert_eq!(post(&desk, Role::Admin, path, no).await.json["state"], "refused");
        let open = get(&desk, Role::Noc, "/admissions").await.json["items"].clone();
        assert_eq!((&open[0]["customer"], &open[0]["reason"]), (&json!("shop"), &json!("no contract yet")));
        desk.clock.advance(HOUR_MS);
        assert_eq!(post(&desk, Role::Admin, path, yes.clone()).await.json["state"], "admitted");
        assert_eq!(post(&desk, Role::Admin, path, yes).await.status, 409);
        assert_eq!(get(&desk, Role::Noc, "/admissions").await.json["items"], json!([]));

        // What is open may be re-rated; what begins from now on is promised something by itself.
        desk.clock.advance(HOUR_MS);
        let fault = format!("/faults/{}", fault.json["id"].as_str().unwrap());
        assert_eq!(get(&desk, Role::Noc, &fault).await.json["deadlines"], json!([]));
        let rerate = json!({ "tier": "AAA", "reason": "admitted" });
        let rated = post(&desk, Role::Admin, &format!("{fault}/re-rate"), rerate).await;
        assert!(rated.status.is_success(), "{}", rated.text);
        let read = get(&desk, Role::Noc, &fault).await.json;
        assert_eq!(read["not_promised"], Value::Null);
        assert_ne!(read["restoration"], Value::Null, "{read}");
    })
    .await;
}
