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
