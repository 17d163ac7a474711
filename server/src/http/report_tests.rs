//! Reports over the API, on both databases.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::testing::{START, TestAnswer, TestDesk};
use crate::app::import;
use crate::auth::Role;
use crate::db::testing::both;
use crate::db::{Db, DbError};

/// The month that [`START`] lies in, in the pack's time zone.
const MONTH: &str = "/api/v1/reports/month/2026-09";

async fn desk(db: Db) -> TestDesk {
    let desk = TestDesk::new(db).await;
    let customers =
        "code,name,tier,region,manager\nbank,示例银行,AAA,North,manager-1\nmill,Sample Mill,A,,\n";
    for csv in [customers, "code,customer\nL1,bank\nL2,mill\n"] {
        import::bytes(&desk.app.db, &desk.app.packs, csv.as_bytes(), false, START).await.unwrap();
    }
    for line in ["L1", "L2"] {
        let body = json!({ "line": line, "channel": "hotline", "reporter": "sample caller" });
        let taken = desk.call(Some(Role::Noc), Method::POST, "/api/v1/faults", Some(body)).await;
        assert_eq!(taken.status, StatusCode::CREATED, "{}", taken.text);
    }
    // Five minutes on, in the middle of the month.
    desk.clock.advance(300_000);
    desk
}

async fn get(desk: &TestDesk, role: Role, path: &str) -> TestAnswer {
    desk.call(Some(role), Method::GET, path, None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_comes_in_every_form_and_is_in_the_audit_trail() {
    both(|db| async move {
        let desk = desk(db).await;
        let report = get(&desk, Role::Noc, MONTH).await;
        assert_eq!(report.status, StatusCode::OK, "{}", report.text);
        assert_eq!((&report.json["total"]["faults"], &report.json["total"]["open"]), (&json!(2), &json!(2)));
        assert_eq!(report.json["complete"], json!(false));
        assert_eq!(report.json["groups"][0]["key"], "group-line/A");
        let types = [
            ("csv", "text/csv; charset=utf-8"),
            ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            ("pdf", "application/pdf"),
        ];
        for (form, media_type) in types {
            let path = format!("{MONTH}?format={form}&group=customer&lang=en");
            let answer = get(&desk, Role::Manager, &path).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
            assert_eq!(answer.headers["content-type"], media_type);
            let name = format!("attachment; filename=\"linewatch-2026-09.{form}\"");
            assert_eq!(answer.headers["content-disposition"], name.as_str());
        }
        let csv = get(&desk, Role::Noc, &format!("{MONTH}?format=csv&group=customer")).await.text;
        assert!(
            csv.starts_with("\u{feff}客户,名称,故障数,") && csv.contains("\r\nbank,示例银行,1,"),
            "{csv}"
        );
        let read = |tx: &mut crate::db::Tx<'_>| -> Result<Vec<(String, String)>, DbError> {
            let sql = "SELECT who, subject FROM audit WHERE action = 'report exported' ORDER BY n";
            tx.query(sql, &[])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
        };
        let audited = desk.app.db.read(read).await.unwrap();
        assert_eq!(audited.len(), 5, "{audited:?}");
        assert_eq!(audited[1], ("manager".to_owned(), "report/month/2026-09".to_owned()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_figure_opens_to_its_rows_page_by_page() {
    both(|db| async move {
        let desk = desk(db).await;
        let first = get(&desk, Role::Noc, &format!("{MONTH}/rows?figure=faults&limit=1")).await;
        assert_eq!(first.status, StatusCode::OK, "{}", first.text);
        let cursor = first.json["next_cursor"].as_str().unwrap();
        let path = format!("{MONTH}/rows?figure=faults&limit=1&cursor={cursor}");
        let second = get(&desk, Role::Noc, &path).await.json;
        assert_eq!(second["next_cursor"], Value::Null);
        let of = |page: &Value| page["items"][0]["line"].as_str().unwrap().to_owned();
        let mut lines = [of(&first.json), of(&second)];
        lines.sort();
        assert_eq!(lines, ["L1", "L2"]);
        let path = format!("{MONTH}/rows?figure=lines&group=customer&key=mill");
        let rows = get(&desk, Role::Manager, &path).await.json;
        assert_eq!(rows["items"].as_array().unwrap().len(), 1);
        assert_eq!((&rows["items"][0]["line"], &rows["items"][0]["fault"]), (&json!("L2"), &Value::Null));
        assert_eq!(rows["items"][0]["year"]["faults"], 1);
        let other = get(&desk, Role::Noc, &format!("{MONTH}/rows?figure=open&cursor={cursor}")).await;
        assert_eq!(other.status, StatusCode::BAD_REQUEST);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_report_says_what_would_be_one() {
    both(|db| async move {
        let desk = desk(db).await;
        let refused = [
            ("/api/v1/reports/week/2026-09", 404, "unknown_period"),
            ("/api/v1/reports/month/2026-13", 404, "unknown_period"),
            ("/api/v1/reports/quarter/2026-Q0", 404, "unknown_period"),
            ("/api/v1/reports/year/2099", 404, "period_not_begun"),
            ("/api/v1/reports/month/2026-09?group=colour", 400, "invalid_parameter"),
            ("/api/v1/reports/month/2026-09?format=doc", 400, "invalid_parameter"),
            ("/api/v1/reports/month/2026-09?lang=fr", 400, "invalid_parameter"),
            ("/api/v1/reports/month/2026-09?limit=1", 400, "invalid_parameter"),
            ("/api/v1/reports/month/2026-09/rows?figure=colour", 400, "invalid_parameter"),
            ("/api/v1/reports/month/2026-09/rows", 400, "invalid_parameter"),
            ("/api/v1/reports/month/2026-09/rows?figure=faults&group=tier", 400, "invalid_parameter"),
            ("/api/v1/reports/month/2026-09/rows?figure=lines&group=cause&key=x", 400, "invalid_parameter"),
        ];
        for (path, status, code) in refused {
            let answer = get(&desk, Role::Admin, path).await;
            assert_eq!(
                (answer.status.as_u16(), answer.json["code"].as_str()),
                (status, Some(code)),
                "{path}"
            );
        }
        let kept =
            crate::db::testing::int(&desk.app.db, "SELECT COUNT(*) FROM audit WHERE subject LIKE 'report/%'");
        assert_eq!(kept.await.unwrap(), 0);
        assert_eq!(get(&desk, Role::Technician, MONTH).await.status, StatusCode::FORBIDDEN);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_and_the_hotline_are_figures_with_rows_and_what_is_wanting_is_said() {
    both(|db| async move {
        let desk = TestDesk::new(db).await;
        let customers = "code,name,tier,manager\nbank,Sample Bank,AAA,manager-1\n";
        import::bytes(&desk.app.db, &desk.app.packs, customers.as_bytes(), false, START).await.unwrap();
        let post = async |role, path: &str, body: Value| {
            let answer = desk.call(Some(role), Method::POST, &format!("/api/v1{path}"), Some(body)).await;
            assert!(answer.status.is_success(), "{}", answer.text);
            answer.json
        };
        for number in 0..2 {
            let body = json!({ "kind": "complaint", "class": "minor", "customer": "bank", "title": format!("{number}") });
            let id = post(Role::Noc, "/matters", body).await["id"].as_str().unwrap().to_owned();
            let done = json!({ "kind": "resolved", "text": "done" });
            let satisfied = json!({ "kind": "callback", "reached": true, "result": "satisfied" });
            for step in [done, satisfied] {
                post(Role::Noc, &format!("/matters/{id}/facts"), step).await;
            }
        }
        let read = async |what: &str| get(&desk, Role::Noc, &format!("{MONTH}{what}")).await;
        let running = read("").await.json;
        for name in ["samples_drawn", "samples_good", "calls_offered", "calls_within_20s"] {
            assert_eq!(running["total"][name], Value::Null, "{name}");
        }
        desk.clock.advance(11 * 86_400_000);
        let over = read("?group=tier").await.json;
        let total = |name: &str| over["total"][name].clone();
        assert_eq!((total("samples_drawn"), total("samples_checked"), total("samples_good")), (json!(2), json!(0), Value::Null));
        assert_eq!((total("call_days"), total("call_days_wanting"), total("calls_offered")), (json!(0), json!(30), Value::Null));
        assert_eq!(over["groups"][0]["key"], json!("group-line/AAA"), "of a matter the customer's tier: {}", over["groups"]);
        assert_eq!(over["groups"][0]["figures"]["samples_drawn"], json!(2));
        assert!(over["groups"][0]["figures"].get("calls_offered").is_none());
        let csv = read("?format=csv&group=customer&lang=en").await.text;
        assert!(csv.lines().nth(1).unwrap().contains(",not imported,"), "{csv}");
        let month = get(&desk, Role::Noc, "/api/v1/quality/2026-09").await.json;
        let subject = |at: usize| month["items"][at]["subject"].clone();
        for (at, points, remarks) in [(0, 90, ""), (1, 61, "no letter")] {
            let check = json!({ "subject": subject(at), "points": points, "remarks": remarks });
            post(Role::Admin, "/quality/2026-09", check).await;
        }
        let columns = crate::app::calls::Columns::Days {
            day: "day".to_owned(),
            offered: "in".to_owned(),
            answered: "ok".to_owned(),
            within_20s: "soon".to_owned(),
        };
        let file = b"day,in,ok,soon\n2026-09-01,10,9,8\n2026-09-30,2,1,1\n2026-10-01,50,0,0\n";
        crate::app::calls::import(&desk.app.db, file, &columns, false, desk.app.now()).await.unwrap();
        let after = read("?group=manager").await.json;
        let total = |name: &str| after["total"][name].clone();
        assert_eq!((total("samples_checked"), total("samples_good"), total("sample_points")), (json!(2), json!(1), json!(151)));
        assert_eq!((total("calls_offered"), total("calls_answered"), total("call_days_wanting")), (json!(12), json!(10), json!(28)));
        let ratio = |name: &str| after["ratios"][name].clone();
        assert_eq!((ratio("samples_good_rate"), ratio("sample_points_mean")), (json!(500), json!(7_550)));
        assert_eq!((ratio("calls_answered_rate"), ratio("calls_within_20s_rate")), (json!(833), json!(900)));
        assert_eq!(after["groups"][0]["ratios"]["sample_points_mean"], json!(7_550));
        // A check is no change of the month's figures; an import is.
        let changed: Vec<&Value> = after["versions"][1]["changes"].as_array().unwrap().iter().map(|c| &c["figure"]).collect();
        assert_eq!(changed, ["call_days", "call_days_wanting", "calls_offered", "calls_answered", "calls_within_20s"]);
        let rows = async |query: &str| {
            let path = format!("/api/v1/reports/month/2026-09/rows?figure={query}");
            get(&desk, Role::Noc, &path).await.json
        };
        let poor = rows("sample_points&group=manager&key=manager-1&limit=1").await;
        let next = rows(&format!("sample_points&group=manager&key=manager-1&cursor={}", poor["next_cursor"].as_str().unwrap())).await;
        let values = [&poor, &next].map(|page| page["items"][0]["value"].as_i64().unwrap());
        assert_eq!(values.iter().sum::<i64>(), 151);
        assert!(poor["items"][0]["sample"]["points"].is_i64() && poor["items"][0]["matter"].is_string());
        let days = rows("calls_offered").await;
        assert_eq!((days["items"][1]["day"].clone(), days["items"][1]["calls"]["answered"].clone()), (json!("2026-09-30"), json!(1)));
        for form in ["xlsx", "pdf"] {
            let answer = read(&format!("?format={form}&lang=en")).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        }
        let quarter = get(&desk, Role::Noc, "/api/v1/reports/quarter/2026-Q3").await.json;
        assert_eq!((&quarter["total"]["samples_checked"], &quarter["total"]["calls_offered"]), (&json!(2), &json!(12)));
    })
    .await;
}
