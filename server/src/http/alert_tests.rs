//! Taking alerts, signed in and by the link in a mail, on both databases.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use linewatch_shared::time::{HOUR_MS, MINUTE_MS};
use serde_json::{Value, json};

use super::testing::{START, TestAnswer, TestDesk};
use crate::app::alerting::climb;
use crate::app::desk::engine;
use crate::app::import;
use crate::auth::Role;
use crate::db::{Db, DbError, Priority, Tx, testing::both, testing::int};
use crate::notify::take_link::TakeLinks;
use crate::store::outbox;

const CUSTOMERS: &str =
    "code,name,tier,manager,manager_email\nbank,Sample <Bank>,AAA,Manager A,a@example.com\n";
const LINES: &str = "code,customer,site\nL1,bank,HQ\nL2,bank,Branch\n";
const MAIL: &str =
    "[smtp]\nhost = \"127.0.0.1\"\nfrom = \"desk@example.com\"\n[desk]\nnoc_email = \"noc@example.com\"\n";

/// A desk at which the restoration of a line's fault was missed a moment ago; with the fault's id.
async fn desk(db: Db) -> (TestDesk, String) {
    let desk = TestDesk::with(db, "https://desk.test", MAIL).await;
    for file in [CUSTOMERS, LINES] {
        let packs = Arc::clone(&desk.app.packs);
        import::bytes(&desk.app.db, &packs, file.as_bytes(), false, START).await.unwrap();
    }
    let body =
        json!({ "line": "L1", "channel": "hotline", "reporter": "caller", "description": "no service" });
    let fault = call(&desk, Role::Noc, Method::POST, "/faults", Some(body)).await.json["id"].clone();
    desk.clock.advance(2 * HOUR_MS + MINUTE_MS);
    round(&desk).await;
    (desk, fault.as_str().unwrap().to_owned())
}

/// The engine comes round: promises, then ladders.
async fn round(desk: &TestDesk) {
    let (inner, now) = (desk.app.desk.clone(), desk.app.now());
    let work = move |tx: &mut Tx<'_>| {
        engine::round(&inner, tx, now)?;
        climb::round(&inner, tx, now)
    };
    desk.app.db.write(Priority::Engine, work).await.unwrap();
}

async fn call(desk: &TestDesk, role: Role, method: Method, path: &str, body: Option<Value>) -> TestAnswer {
    desk.call(Some(role), method, &format!("/api/v1{path}"), body).await
}

/// The alert of the miss as the fault's page has it.
async fn missed(desk: &TestDesk, fault: &str, role: Role) -> Value {
    let found = call(desk, role, Method::GET, &format!("/faults/{fault}"), None).await.json;
    let alerts = found["alerts"].as_array().unwrap().clone();
    let of_miss = |alert: &&Value| alert["kind"] == "restoration" && alert["mark"] == "missed";
    alerts.iter().find(of_miss).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_signed_in_takes_an_alert_once() {
    both(|db| async move {
        let (desk, fault) = desk(db).await;
        let alert = missed(&desk, &fault, Role::Noc).await;
        assert!(alert["next_at"].is_string() && alert["acknowledged"].is_null(), "{alert}");
        assert_eq!(alert["told"][0]["to"], "Manager A");
        let open = call(&desk, Role::Noc, Method::GET, "/alerts", None).await;
        assert_eq!(
            (open.json["items"].as_array().unwrap().len(), &open.json["items"][0]["fault"]),
            (1, &json!(fault))
        );
        let key = alert["key"].as_str().unwrap().replace('/', "%2F");
        let path = format!("/alerts/{key}/acknowledgement");
        let first = call(&desk, Role::Technician, Method::POST, &path, None).await;
        assert_eq!((first.status, &first.json["fresh"]), (StatusCode::OK, &json!(true)), "{}", first.text);
        // The same alert under the key of its ladder's step; it stays with who came first.
        let second =
            call(&desk, Role::Noc, Method::POST, &format!("/alerts/{key}%2Frung1/acknowledgement"), None)
                .await;
        assert_eq!((&second.json["by"], &second.json["fresh"]), (&json!("technician"), &json!(false)));
        let unknown = call(&desk, Role::Noc, Method::POST, "/alerts/x/acknowledgement", None).await;
        assert_eq!((unknown.status, &unknown.json["code"]), (StatusCode::NOT_FOUND, &json!("unknown_alert")));
        let open = call(&desk, Role::Noc, Method::GET, "/alerts", None).await;
        assert_eq!(open.json["items"], json!([]));
        let seen = missed(&desk, &fault, Role::Noc).await;
        assert_eq!((&seen["acknowledged"]["by"], &seen["next_at"]), (&json!("technician"), &Value::Null));
        let seen = missed(&desk, &fault, Role::Technician).await;
        assert_eq!((&seen["acknowledged"]["by"], &seen["told"][0]["to"]), (&Value::Null, &Value::Null));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_has_taken_is_listed_until_somebody_does_something() {
    both(|db| async move {
        let (desk, first) = desk(db).await;
        let open = async |query: &str| {
            call(&desk, Role::Noc, Method::GET, &format!("/alerts{query}"), None).await.json
        };
        let item = open("").await["items"][0].clone();
        assert_eq!(
            (&item["customer"], &item["line"], &item["matter"], &item["steps"], &item["next_to"]),
            (&json!("bank"), &json!("L1"), &Value::Null, &json!(2), &json!(["duty"]))
        );
        // Its ladder is climbed to the top, while that of another line's fault has begun.
        let body = json!({ "line": "L2", "channel": "hotline" });
        let second = call(&desk, Role::Noc, Method::POST, "/faults", Some(body)).await.json["id"].clone();
        for minutes in [20, 20, 81] {
            desk.clock.advance(minutes * MINUTE_MS);
            round(&desk).await;
        }
        let lines = |page: &Value| -> Vec<(String, bool)> {
            let items = page["items"].as_array().unwrap().iter();
            items
                .map(|item| (item["line"].as_str().unwrap().to_owned(), item["next_at"].is_string()))
                .collect()
        };
        let (unheard, climbing) = (("L1".to_owned(), false), ("L2".to_owned(), true));
        let page = open("?limit=1").await;
        assert_eq!(lines(&page), std::slice::from_ref(&unheard), "everybody was told of the first");
        assert_eq!(page["items"][0]["rung"], 2);
        let rest = open(&format!("?limit=1&cursor={}", page["next_cursor"].as_str().unwrap())).await;
        assert_eq!((lines(&rest), &rest["next_cursor"]), (vec![climbing.clone()], &Value::Null));
        let second = second.as_str().unwrap();
        assert_eq!(lines(&open(&format!("?fault={second}")).await), [climbing]);
        assert_eq!(lines(&open(&format!("?fault={first}")).await), [unheard]);
        for (query, status) in [
            ("?fault=x", 404),
            (&*format!("?matter={first}"), 404),
            (&*format!("?fault={first}&matter={first}"), 400),
            ("?taken=true", 400),
        ] {
            let refused = call(&desk, Role::Noc, Method::GET, &format!("/alerts{query}"), None).await;
            assert_eq!(refused.status.as_u16(), status, "{query}: {}", refused.text);
        }
        let refused = call(&desk, Role::Technician, Method::GET, "/alerts", None).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        // Work on the first, and the restoration of the second, end both without a word about the alerts.
        for (fault, kind) in [(first.as_str(), "dispatched"), (second, "restored")] {
            let step = Some(json!({ "kind": kind }));
            let done = call(&desk, Role::Noc, Method::POST, &format!("/faults/{fault}/facts"), step).await;
            assert_eq!(done.status, StatusCode::OK, "{}", done.text);
        }
        assert_eq!(open("").await["items"], json!([]));
        let seen = missed(&desk, &first, Role::Noc).await;
        assert_eq!((&seen["acknowledged"]["by"], &seen["ended"]), (&json!("noc"), &Value::Null));
        let seen = missed(&desk, second, Role::Noc).await;
        assert_eq!((&seen["acknowledged"], &seen["ended"]), (&Value::Null, &json!("settled")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_of_a_mail_takes_its_alert_when_the_button_is_pressed() {
    both(|db| async move {
        let (desk, fault) = desk(db).await;
        let rows = async || {
            let now_ms = desk.app.now().0;
            let due: Result<_, DbError> = desk
                .app
                .db
                .write(Priority::Engine, move |tx: &mut Tx<'_>| outbox::due(tx, now_ms, 100))
                .await;
            due.unwrap()
        };
        let row =
            rows().await.into_iter().find(|row| row.key.contains("/restoration/first/missed/")).unwrap();
        let links = TakeLinks { key: desk.app.take_key.clone(), base: desk.app.link_base.clone() };
        let link = links.of(&row).unwrap();
        let path = link.strip_prefix("https://desk.test").unwrap().to_owned();
        let open = async |method: Method, path: &str| desk.call(None, method, path, None).await;
        for _ in 0..20 {
            let page = open(Method::GET, &path).await;
            assert_eq!(page.status, StatusCode::OK);
            assert!(
                page.text.contains("Sample &lt;Bank&gt; L1") && page.text.contains("<button>"),
                "{}",
                page.text
            );
            assert!(
                page.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'")
            );
        }
        assert!(missed(&desk, &fault, Role::Noc).await["acknowledged"].is_null(), "looking takes nothing");
        let done = open(Method::POST, &path).await;
        assert!(done.text.contains("Manager A takes this"), "{}", done.text);
        let again = open(Method::POST, &path).await;
        assert!(
            again.text.contains("Manager A took this at") && !again.text.contains("<button>"),
            "{}",
            again.text
        );
        let taken = missed(&desk, &fault, Role::Noc).await["acknowledged"].clone();
        assert_eq!((&taken["by"], &taken["how"]), (&json!("Manager A"), &json!("link")));
        let audited = "SELECT COUNT(*) FROM audit WHERE action = 'alert acknowledged' AND who = 'Manager A'";
        assert_eq!(int(&desk.app.db, audited).await.unwrap(), 1);
        // One that nobody has taken is good for three days.
        let other = rows().await.into_iter().find(|row| row.key.contains("/feedback/")).unwrap();
        let other = links.of(&other).unwrap().replace("https://desk.test", "");
        assert_eq!(open(Method::GET, &other).await.status, StatusCode::OK);
        desk.clock.advance(73 * HOUR_MS);
        assert_eq!(open(Method::POST, &other).await.status, StatusCode::GONE);
        // Guessing is slowed down.
        let guess = |n: u32| format!("/a/{}{n:04}", &path[3..31]);
        assert_eq!(open(Method::GET, &guess(1)).await.status, StatusCode::NOT_FOUND);
        for n in 2..60 {
            open(Method::GET, &guess(n)).await;
        }
        assert_eq!(open(Method::GET, &guess(60)).await.status, StatusCode::TOO_MANY_REQUESTS);
    })
    .await;
}
