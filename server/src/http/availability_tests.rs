//! Promised availability over the API and in reports, on both databases.

use axum::http::{Method, StatusCode};
use linewatch_shared::time::{DAY_MS, HOUR_MS, UnixMs};
use serde_json::{Value, json};

use super::testing::{START, TestDesk};
use crate::app::desk::{Channels, Desk, allowances};
use crate::app::import;
use crate::auth::Role;
use crate::db::testing::{both, int};
use crate::db::{Db, Priority};

const CUSTOMERS: &str = "code,name,tier,pack\nplant,Sample Plant,important,power-distribution\n\
     bank,Sample Bank,AAA,group-line\n";
const LINES: &str = "code,customer,in_service\nP1,plant,2026-07-01\nP2,plant,\nB1,bank,\n";
/// Of P1, from July on: 184 days, of which one in a hundred.
const ALLOWANCE_MS: i64 = 184 * DAY_MS / 100;

async fn desk(db: Db) -> TestDesk {
    let desk = TestDesk::new(db).await;
    for csv in [CUSTOMERS, LINES] {
        import::bytes(&desk.app.db, &desk.app.packs, csv.as_bytes(), false, START).await.unwrap();
    }
    desk
}

async fn post(desk: &TestDesk, path: &str, body: Value) -> Value {
    let answer = desk.call(Some(Role::Noc), Method::POST, path, Some(body)).await;
    assert!(answer.status.is_success(), "{}", answer.text);
    answer.json
}

async fn get(desk: &TestDesk, path: &str) -> Value {
    let answer = desk.call(Some(Role::Noc), Method::GET, path, None).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json
}

/// A fault of P1 that began at a time and lasted so long; as long as it lasts where `ms` is zero.
async fn outage(desk: &TestDesk, from: UnixMs, ms: i64) -> String {
    let body = json!({ "line": "P1", "channel": "hotline", "reported_at": from.to_rfc3339() });
    let fault = post(desk, "/api/v1/faults", body).await["id"].as_str().unwrap().to_owned();
    if ms > 0 {
        for (kind, at) in [("restored", from + ms), ("repaired", from + ms), ("callback", from + ms)] {
            let mut fact = json!({ "kind": kind, "occurred_at": at.to_rfc3339() });
            if kind == "callback" {
                fact["reached"] = json!(true);
                fact["result"] = json!("satisfied");
            }
            post(desk, &format!("/api/v1/faults/{fault}/facts"), fact).await;
        }
    }
    fault
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_says_when_the_promise_will_be_broken_and_an_exemption_takes_it_out() {
    both(|db| async move {
        let desk = desk(db).await;
        let exempt = outage(&desk, START - 10 * DAY_MS, 20 * HOUR_MS).await;
        let fact = json!({ "kind": "exempted", "cause": "customer_power" });
        post(&desk, &format!("/api/v1/faults/{exempt}/facts"), fact).await;
        let done = outage(&desk, START - 5 * DAY_MS, HOUR_MS).await;
        let running = outage(&desk, START - 2 * HOUR_MS, 0).await;
        let page = get(&desk, "/api/v1/availability?customer=plant").await;
        let items = page["items"].as_array().unwrap();
        assert_eq!(items.iter().map(|item| item["line"].as_str().unwrap()).collect::<Vec<_>>(), ["P1", "P2"]);
        let item = &items[0];
        assert_eq!((&item["from"], &item["over"]), (&json!("2026-06-30T16:00:00.000Z"), &json!("year")));
        assert_eq!(item["interruption_ms"], 3 * HOUR_MS);
        assert_eq!(item["allowance_ms"], ALLOWANCE_MS);
        assert_eq!(item["exempt_ms"], 20 * HOUR_MS);
        assert_eq!((&item["state"], &item["running"]), (&json!("running"), &json!(true)));
        let at = START + (ALLOWANCE_MS - 3 * HOUR_MS);
        assert_eq!(item["exhausted_at"], at.to_rfc3339());
        let faults: Vec<&str> =
            item["outages"].as_array().unwrap().iter().map(|o| o["fault"].as_str().unwrap()).collect();
        assert_eq!(faults, [running.as_str(), done.as_str(), exempt.as_str()]);
        assert_eq!(item["outages"][2]["exempt"], "customer_power");
        // P2 serves since it was written down: nothing of its time has passed.
        assert_eq!(
            (&items[1]["from"], &items[1]["available_ppm"]),
            (&json!(START.to_rfc3339()), &Value::Null)
        );
        // The last moment that keeps it, and the first that does not.
        desk.clock.advance(at.since(START));
        let state = get(&desk, "/api/v1/availability?customer=plant").await["items"][0]["state"].clone();
        assert_eq!(state, "running");
        desk.clock.advance(1);
        let page = get(&desk, "/api/v1/availability?customer=plant&limit=1").await;
        assert_eq!(
            (&page["items"][0]["state"], &page["items"][0]["left_ms"]),
            (&json!("missed"), &json!(-1))
        );
        let path = format!("/api/v1/availability?limit=1&cursor={}", page["next_cursor"].as_str().unwrap());
        assert_eq!(get(&desk, &path).await["items"][0]["line"], "P2");
        assert_eq!(get(&desk, "/api/v1/availability?customer=bank").await["items"], json!([]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_has_the_time_in_service_and_the_month_in_which_the_promise_was_broken() {
    both(|db| async move {
        let desk = desk(db).await;
        outage(&desk, START - 2 * HOUR_MS, 0).await;
        desk.clock.advance(120 * DAY_MS);
        let september = get(&desk, "/api/v1/reports/month/2026-09?group=line").await;
        // Of P1 the month, of P2 what of it was left.
        let (total, month_ms) = (&september["total"], 30 * DAY_MS);
        let end = UnixMs::parse_rfc3339("2026-09-30T16:00:00Z").unwrap();
        let down_ms = end.since(START - 2 * HOUR_MS);
        assert_eq!(total["service_ms"], month_ms + end.since(START));
        assert_eq!(total["available_ms"], month_ms + end.since(START) - down_ms);
        assert_eq!((&total["availability_missed"], &total["availability_kept"]), (&json!(1), &json!(0)));
        let groups = september["groups"].as_array().unwrap();
        assert_eq!(groups.len(), 2, "a line under a pack without such a promise is in no row");
        assert_eq!(groups[0]["availability"]["state"], "missed");
        let october = get(&desk, "/api/v1/reports/month/2026-10").await;
        assert_eq!(
            (&october["total"]["availability_missed"], &october["total"]["availability_kept"]),
            (&json!(0), &json!(0))
        );
        let year = get(&desk, "/api/v1/reports/year/2026?group=customer").await;
        assert_eq!(year["complete"], true);
        assert_eq!(
            (&year["total"]["availability_missed"], &year["total"]["availability_kept"]),
            (&json!(1), &json!(1))
        );
        let rows = get(&desk, "/api/v1/reports/year/2026/rows?figure=availability_missed").await;
        assert_eq!((&rows["items"][0]["line"], rows["items"].as_array().unwrap().len()), (&json!("P1"), 1));
        let outages = get(&desk, rows["items"][0]["outages"].as_str().unwrap()).await;
        assert_eq!(outages["items"].as_array().unwrap().len(), 1);
        for form in ["csv", "xlsx", "pdf"] {
            let path = format!("/api/v1/reports/year/2026?group=line&format={form}");
            let answer = desk.call(Some(Role::Noc), Method::GET, &path, None).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
            assert!(form != "csv" || answer.text.contains("可用率") && answer.text.contains(",0.990000,"));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_day_of_service_is_refused() {
    both(|db| async move {
        let desk = desk(db).await;
        let bad = b"code,customer,in_service\nP3,plant,2026-02-30\nP4,plant,26-1-1\n";
        let refused = import::bytes(&desk.app.db, &desk.app.packs, bad, false, START).await.unwrap_err();
        assert!(refused.to_string().contains("line 2, in_service: \"2026-02-30\" is no day"), "{refused}");
        assert_eq!(refused.to_string().lines().count(), 2);
        let unknown =
            desk.call(Some(Role::Noc), Method::GET, "/api/v1/availability?customer=nobody", None).await;
        assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", unknown.text);
        let technician = desk.call(Some(Role::Technician), Method::GET, "/api/v1/availability", None).await;
        assert_eq!(technician.status, StatusCode::FORBIDDEN);
    })
    .await;
}

/// The engine looks at the lines that are due; answers how many alerts the outbox then has whose key has these parts.
async fn looked(desk: &TestDesk, kind: &str, mark: &str) -> i64 {
    let channels = Channels { email: true, ..Channels::default() };
    let (inner, now) = (Desk { channels, ..desk.app.desk.clone() }, desk.app.now());
    let round =
        desk.app.db.write(Priority::Engine, move |tx| allowances::round(&inner, tx, now)).await.unwrap();
    assert!(round.next.is_none_or(|next| next > now), "nothing is left to look at: {round:?}");
    let sql = format!("SELECT COUNT(*) FROM outbox WHERE key LIKE '%/{kind}/%/{mark}/%'");
    let sql: &'static str = Box::leak(sql.into_boxed_str());
    int(&desk.app.db, sql).await.unwrap()
}

/// What is promised of lines: line, state and due time.
async fn owed(desk: &TestDesk, query: &str) -> Vec<(String, String, String)> {
    let page = get(desk, &format!("/api/v1/deadlines?{query}")).await;
    let text = |item: &Value, key: &str| item[key].as_str().unwrap().to_owned();
    let items = page["items"].as_array().unwrap().iter();
    items
        .inspect(|item| assert_eq!((&item["fault"], &item["matter"]), (&Value::Null, &Value::Null)))
        .map(|item| (text(item, "line"), text(item, "state"), text(item, "due_at")))
        .collect()
}

fn row(state: &str, due_at: UnixMs) -> Vec<(String, String, String)> {
    vec![("P1".to_owned(), state.to_owned(), due_at.to_rfc3339())]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_promise_leaves_is_warned_of_used_up_and_given_back() {
    both(|db| async move {
        let desk = desk(db).await;
        let fault = outage(&desk, START - 2 * HOUR_MS, 0).await;
        assert_eq!(looked(&desk, "%", "%").await, 0);
        let used_up = START + (ALLOWANCE_MS - 2 * HOUR_MS);
        let limit = START + 22 * HOUR_MS;
        assert_eq!(owed(&desk, "kind=availability").await, row("running", used_up));
        assert_eq!(owed(&desk, "kind=interruption").await, row("running", limit));
        let view = get(&desk, &format!("/api/v1/faults/{fault}")).await;
        assert_eq!(view["availability"]["exhausted_at"], used_up.to_rfc3339());
        assert_eq!(view["availability"]["interruption_ms"], 2 * HOUR_MS);
        assert_eq!(view["interruption"]["exhausted_at"], limit.to_rfc3339());
        assert_eq!(get(&desk, "/api/v1/lines/P1").await["availability"], view["availability"]);

        desk.clock.advance(10 * HOUR_MS);
        assert_eq!(looked(&desk, "interruption", "warn_50").await, 1);
        assert_eq!(looked(&desk, "interruption", "warn_50").await, 1, "told once");
        assert_eq!(looked(&desk, "availability", "%").await, 0);
        desk.clock.advance(used_up.since(desk.app.now()) + 1);
        assert_eq!(owed(&desk, "kind=availability").await, row("missed", used_up), "before the engine looks");
        assert_eq!(looked(&desk, "availability", "missed").await, 1);
        assert_eq!(looked(&desk, "interruption", "missed").await, 1);
        assert_eq!(owed(&desk, "state=missed&kind=interruption").await, row("missed", limit));
        let risks = get(&desk, "/api/v1/customers/at-risk").await["items"][0]["reasons"].clone();
        let reason = risks.as_array().unwrap().iter().find(|reason| reason["kind"] == "interrupted_lines");
        assert_eq!(reason.unwrap()["count"], 1, "one line, twice over: {risks}");

        // It was not our fault: what was told is corrected, and the year is kept.
        let fact = json!({ "kind": "exempted", "cause": "customer_power" });
        post(&desk, &format!("/api/v1/faults/{fault}/facts"), fact).await;
        assert_eq!(looked(&desk, "availability", "corrected").await, 1);
        assert_eq!(looked(&desk, "interruption", "corrected").await, 1);
        let end = UnixMs::parse_rfc3339("2026-12-31T16:00:00Z").unwrap();
        assert_eq!(owed(&desk, "kind=availability").await, row("running", end));
        desk.clock.advance(end.since(desk.app.now()) + 1);
        assert_eq!(owed(&desk, "kind=availability").await, row("met", end), "before the engine looks");
        looked(&desk, "%", "%").await;
        assert_eq!(owed(&desk, "kind=interruption").await, row("met", end));
        assert_eq!(looked(&desk, "%", "missed").await, 2, "nothing is told twice");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_serves_for_less_time_may_be_interrupted_less() {
    both(|db| async move {
        let desk = desk(db).await;
        outage(&desk, START - 2 * HOUR_MS, HOUR_MS).await;
        looked(&desk, "%", "%").await;
        let left =
            async |desk: &TestDesk| get(desk, "/api/v1/lines/P1").await["availability"]["left_ms"].clone();
        assert_eq!(left(&desk).await, ALLOWANCE_MS - HOUR_MS);
        // An outage that ended uses of the year; nothing of it is owed before its end.
        let lines = b"code,customer,in_service\nP1,plant,2026-12-30\n";
        import::bytes(&desk.app.db, &desk.app.packs, lines, false, START).await.unwrap();
        looked(&desk, "%", "%").await;
        assert_eq!(left(&desk).await, Value::Null, "before it served nothing was promised");
        let lines = b"code,customer,in_service\nP1,plant,2026-09-17\n";
        import::bytes(&desk.app.db, &desk.app.packs, lines, false, START).await.unwrap();
        looked(&desk, "%", "%").await;
        // 106 days of the year.
        assert_eq!(left(&desk).await, 106 * DAY_MS / 100 - HOUR_MS);
        assert_eq!(owed(&desk, "kind=availability").await.len(), 1);
        // Under a pack without such a promise nothing is owed any more.
        let customers = b"code,name,tier,pack\nplant,Sample Plant,AAA,group-line\n";
        import::bytes(&desk.app.db, &desk.app.packs, customers, false, START + 1).await.unwrap();
        desk.clock.advance(DAY_MS);
        looked(&desk, "%", "%").await;
        assert_eq!(left(&desk).await, Value::Null);
        let interruption = &owed(&desk, "kind=interruption").await[0];
        assert_eq!((interruption.0.as_str(), interruption.1.as_str()), ("P1", "running"));
    })
    .await;
}
