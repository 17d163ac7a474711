//! Yearly plans over the API, on both databases.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use linewatch_shared::time::{DAY_MS, UnixMs};
use serde_json::{Value, json};

use super::testing::{START, TestAnswer, TestDesk};
use crate::app::{daily_list, import, plans};
use crate::auth::Role;
use crate::db::testing::{both, int};
use crate::db::{Db, DbError, Priority};

const CUSTOMERS: &str = "code,name,tier,pack,manager\nbank,Sample Bank,gold,key-account,Manager A\n\
     mill,Sample Mill,good,key-account,\nshop,Sample Shop,plain,key-account,Manager B\n\
     inn,Sample Inn,AAA,group-line,Manager B\n";
const PLAN: &str = "/customers/bank/plans/2026";

async fn desk(db: Db) -> TestDesk {
    let desk = TestDesk::new(db).await;
    let packs = Arc::clone(&desk.app.packs);
    import::bytes(&desk.app.db, &packs, CUSTOMERS.as_bytes(), false, START).await.unwrap();
    desk
}

async fn call(desk: &TestDesk, role: Role, method: Method, path: &str, body: Value) -> TestAnswer {
    let body = (method != Method::GET).then_some(body);
    desk.call(Some(role), method, &format!("/api/v1{path}"), body).await
}

fn plan(measures: &[(&str, i64)]) -> Value {
    let measure =
        |(what, days): &(&str, i64)| json!({ "what": what, "by": (START + days * DAY_MS).to_rfc3339() });
    json!({ "goals": "keep the customer", "measures": measures.iter().map(measure).collect::<Vec<_>>() })
}

async fn put(desk: &TestDesk, measures: &[(&str, i64)]) -> TestAnswer {
    call(desk, Role::Manager, Method::PUT, PLAN, plan(measures)).await
}

fn states(view: &Value) -> Vec<(&str, &str)> {
    let measures = view["measures"].as_array().unwrap().iter();
    measures.map(|one| (one["what"].as_str().unwrap(), one["state"].as_str().unwrap())).collect()
}

async fn without(desk: &TestDesk, query: &str) -> Vec<(String, String)> {
    let page =
        call(desk, Role::Noc, Method::GET, &format!("/customers/without-plan{query}"), Value::Null).await;
    let items = page.json["items"].as_array().unwrap_or_else(|| panic!("{}", page.text)).iter();
    let text = |item: &Value, key: &str| item[key].as_str().unwrap().to_owned();
    items.map(|item| (text(item, "customer"), text(item, "state"))).collect()
}

/// What the engine does when the time has come.
async fn come_round(desk: &TestDesk) {
    let (inner, now) = (desk.app.desk.clone(), desk.app.now());
    let opened = desk.app.db.write(Priority::Ingest, move |tx| plans::come_round(&inner, tx, now)).await;
    opened.unwrap();
}

fn row(customer: &str, state: &str) -> (String, String) {
    (customer.to_owned(), state.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_written_approved_and_its_measures_become_promises() {
    both(|db| async move {
        let desk = desk(db).await;
        assert_eq!(without(&desk, "").await, [row("bank", "missing"), row("mill", "missing")]);
        let written = put(&desk, &[("invite", 20), ("upgrade", 80)]).await;
        assert_eq!(written.status, StatusCode::OK, "{}", written.text);
        assert_eq!(states(&written.json), [("invite", "planned"), ("upgrade", "planned")]);
        assert_eq!(without(&desk, "?manager=Manager%20A").await, [row("bank", "proposed")]);
        let approval = format!("{PLAN}/approval");
        let own = call(&desk, Role::Manager, Method::POST, &approval, json!({})).await;
        assert!(own.status == StatusCode::CONFLICT && own.text.contains("somebody else"), "{}", own.text);
        let approved = call(&desk, Role::Admin, Method::POST, &approval, json!({})).await;
        assert_eq!(approved.status, StatusCode::OK, "{}", approved.text);
        assert_eq!(states(&approved.json), [("invite", "open"), ("upgrade", "planned")]);
        assert_eq!(without(&desk, "").await, [row("mill", "missing")]);

        // The near one is promised: owner, day, warnings. It is put off and done like every promise.
        let matter = approved.json["measures"][0]["matter"].as_str().unwrap().to_owned();
        let view = call(&desk, Role::Noc, Method::GET, &format!("/matters/{matter}"), Value::Null).await.json;
        assert_eq!((&view["owner"], &view["class"]), (&json!("Manager A"), &json!("plan-measure")));
        assert_eq!(view["about"], approved.json["id"]);
        let steps = format!("/matters/{matter}/facts");
        let later = (START + 25 * DAY_MS).to_rfc3339();
        let off = json!({ "kind": "postponed", "until": later, "reason": "nobody is there" });
        assert_eq!(call(&desk, Role::Manager, Method::POST, &steps, off).await.status, StatusCode::OK);
        let read = call(&desk, Role::Noc, Method::GET, PLAN, Value::Null).await.json;
        assert_eq!(read["measures"][0]["due_at"], later);

        // A promised measure stays in a plan that is written anew; the rest may change.
        let dropped = put(&desk, &[("visit", 60)]).await;
        assert!(dropped.status == StatusCode::CONFLICT && dropped.text.contains(&matter), "{}", dropped.text);
        let anew = put(&desk, &[("invite", 20), ("visit", 60)]).await;
        assert_eq!(states(&anew.json), [("invite", "open"), ("visit", "planned")], "{}", anew.text);
        desk.clock.advance(31 * DAY_MS);
        come_round(&desk).await;
        let promises = "SELECT COUNT(*) FROM matter WHERE kind = 'promise'";
        assert_eq!(
            int(&desk.app.db, promises).await.unwrap(),
            1,
            "nothing is promised before it is approved"
        );
        let approved = call(&desk, Role::Admin, Method::POST, &approval, json!({})).await;
        assert_eq!(states(&approved.json), [("invite", "open"), ("visit", "open")], "{}", approved.text);
        let done = json!({ "kind": "resolved", "text": "done" });
        call(&desk, Role::Manager, Method::POST, &steps, done).await;
        let read = call(&desk, Role::Noc, Method::GET, PLAN, Value::Null).await.json;
        assert_eq!(states(&read), [("invite", "closed"), ("visit", "open")]);
        come_round(&desk).await;
        assert_eq!(int(&desk.app.db, promises).await.unwrap(), 2, "each is promised once");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_measure_comes_by_itself_or_earlier_and_what_is_wrong_changes_nothing() {
    both(|db| async move {
        let desk = desk(db).await;
        for (path, measures, field) in [
            (PLAN, vec![], "measures"),
            (PLAN, vec![("a", 20), ("a", 20)], "measures"),
            (PLAN, vec![("a", 200)], "measures"),
            (PLAN, vec![("a", -1)], "measures"),
            ("/customers/bank/plans/2029", vec![("a", 20)], "year"),
            ("/customers/mill/plans/2026", vec![("a", 20)], "measures"),
            ("/customers/inn/plans/2026", vec![("a", 20)], "customer"),
        ] {
            let refused = call(&desk, Role::Manager, Method::PUT, path, plan(&measures)).await;
            assert_eq!(
                (refused.status.as_u16(), &refused.json["field"]),
                (422, &json!(field)),
                "{}",
                refused.text
            );
        }
        let unknown = call(&desk, Role::Noc, Method::GET, PLAN, Value::Null).await;
        assert_eq!((unknown.status.as_u16(), &unknown.json["code"]), (404, &json!("unknown_plan")));
        assert_eq!(
            call(&desk, Role::Noc, Method::PUT, PLAN, plan(&[("a", 20)])).await.status,
            StatusCode::FORBIDDEN
        );

        put(&desk, &[("later", 50), ("last", 90)]).await;
        let opening = format!("{PLAN}/measures/2/opening");
        let early = call(&desk, Role::Manager, Method::POST, &opening, json!({})).await;
        assert_eq!(early.status, StatusCode::CONFLICT, "it is not approved: {}", early.text);
        let approved = call(&desk, Role::Admin, Method::POST, &format!("{PLAN}/approval"), json!({})).await;
        assert_eq!(approved.json["measures"][0]["opens_at"], (START + 20 * DAY_MS).to_rfc3339());
        for (days, expected) in [(19, "planned"), (1, "open")] {
            desk.clock.advance(days * DAY_MS);
            come_round(&desk).await;
            let read = call(&desk, Role::Noc, Method::GET, PLAN, Value::Null).await.json;
            assert_eq!(states(&read), [("later", expected), ("last", "planned")]);
        }
        let begun = call(&desk, Role::Manager, Method::POST, &opening, json!({})).await;
        assert_eq!(states(&begun.json), [("later", "open"), ("last", "open")], "{}", begun.text);
        let nine =
            call(&desk, Role::Manager, Method::POST, &format!("{PLAN}/measures/9/opening"), json!({})).await;
        assert_eq!(nine.status, StatusCode::CONFLICT, "{}", nine.text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_that_are_wanting_are_on_the_desk_s_list_from_their_day_on() {
    both(|db| async move {
        let desk = desk(db).await;
        let zone = desk.app.settings.time_zone;
        let listed = async |at: &str| {
            let (inner, now) = (desk.app.desk.clone(), UnixMs::parse_rfc3339(at).unwrap());
            let keep = move |tx: &mut crate::db::Tx<'_>| daily_list::keep(&inner, tx, (zone, 0), now);
            desk.app.db.write(Priority::Ingest, keep).await.unwrap();
            let day = crate::app::days::day_of(zone, now).to_string();
            let kept: Result<_, DbError> = desk.app.db.read(move |tx| daily_list::kept(tx, &day)).await;
            let notices = kept.unwrap().unwrap().notices;
            notices.iter().any(|notice| notice.kind == "plans_missing" && notice.month == "2027")
        };
        assert!(!listed("2027-01-31T10:00:00+08:00").await);
        assert!(listed("2027-02-01T10:00:00+08:00").await);
    })
    .await;
}
