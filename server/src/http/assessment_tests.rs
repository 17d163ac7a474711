//! The yearly assessment over the API, on both databases: figures that can be counted by hand.

use axum::http::{Method, StatusCode};
use linewatch_shared::time::{DAY_MS, HOUR_MS, UnixMs};
use serde_json::{Value, json};

use super::testing::{START, TestDesk};
use crate::app::import;
use crate::auth::Role;
use crate::db::Db;
use crate::db::testing::both;

const CUSTOMERS: &str = "code,name,tier,pack\nplant,示例工厂,important,power-distribution\n\
     other,Another Plant,important,power-distribution\nbank,Sample Bank,AAA,group-line\n";
const LINES: &str =
    "code,customer,in_service\nP1,plant,2026-01-01\nP2,plant,2026-01-01\nO1,other,2026-01-01\n";

pub(super) async fn desk(db: Db) -> TestDesk {
    let desk = TestDesk::new(db).await;
    for csv in [CUSTOMERS, LINES] {
        import::bytes(&desk.app.db, &desk.app.packs, csv.as_bytes(), false, START).await.unwrap();
    }
    desk
}

async fn call(desk: &TestDesk, method: Method, path: &str, body: Option<Value>) -> Value {
    let answer = desk.call(Some(Role::Noc), method, path, body).await;
    assert!(answer.status.is_success(), "{path}: {}", answer.text);
    answer.json
}

/// A fault that lasted for some hours and was called back; exempt where a cause is given.
pub(super) async fn fault(desk: &TestDesk, line: &str, from: UnixMs, hours: i64, exempt: Option<&str>) {
    let body = json!({ "line": line, "channel": "hotline", "reported_at": from.to_rfc3339() });
    let id = call(desk, Method::POST, "/api/v1/faults", Some(body)).await["id"].as_str().unwrap().to_owned();
    let at = (from + hours * HOUR_MS).to_rfc3339();
    let mut facts = vec![
        json!({ "kind": "restored", "occurred_at": at }),
        json!({ "kind": "repaired", "occurred_at": at }),
        json!({ "kind": "callback", "occurred_at": at, "reached": true, "result": "satisfied" }),
    ];
    facts.extend(exempt.map(|cause| json!({ "kind": "exempted", "cause": cause })));
    for fact in facts {
        call(desk, Method::POST, &format!("/api/v1/faults/{id}/facts"), Some(fact)).await;
    }
}

async fn assessment(desk: &TestDesk, path: &str) -> Value {
    call(desk, Method::GET, &format!("/api/v1/assessments/{path}"), None).await
}

fn figure<'a>(view: &'a Value, name: &str) -> &'a Value {
    view["figures"].as_array().unwrap().iter().find(|figure| figure["name"] == name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_is_assessed_as_one_counts_by_hand() {
    both(|db| async move {
        let desk = desk(db).await;
        fault(&desk, "P1", START - 40 * DAY_MS, 1, None).await;
        fault(&desk, "P1", START - 10 * DAY_MS, 5, None).await;
        fault(&desk, "P2", START - 5 * DAY_MS, 5, Some("customer_power")).await;
        // Another customer's is not this one's.
        fault(&desk, "O1", START - 5 * DAY_MS, 5, None).await;
        let view = assessment(&desk, "2026?customer=plant").await;
        let restored = figure(&view, "restored");
        let sums = ["owed", "kept", "missed", "exempt"].map(|name| restored[name].as_i64().unwrap());
        assert_eq!(sums, [2, 1, 1, 1]);
        assert_eq!((&restored["kept_ppm"], &restored["points_centi"]), (&json!(500_000), &json!(0)));
        assert_eq!(restored["lost_centi"], 2_500);
        let available = figure(&view, "availability");
        assert_eq!((&available["missed"], &available["exempt"]), (&json!(6 * HOUR_MS), &json!(5 * HOUR_MS)));
        let new_year = UnixMs::parse_rfc3339("2025-12-31T16:00:00Z").unwrap();
        assert_eq!(available["owed"], 2 * START.since(new_year));
        assert_eq!(available["points_centi"], 3_000);
        assert_eq!(figure(&view, "satisfaction")["points_centi"], 1_000);
        // Nothing was owed of these: they are left out with their weight.
        assert_eq!(figure(&view, "defects")["points_centi"], Value::Null);
        assert_eq!(figure(&view, "patrols")["kept_ppm"], Value::Null);
        // 40 of 65 points, and a tenth of the fee.
        let parts =
            ["reached_ppm", "fee_part_ppm", "left_ppm", "withheld_ppm"].map(|n| view[n].as_i64().unwrap());
        assert_eq!(parts, [615_384, 100_000, 61_539, 38_461]);
        assert_eq!((&view["decides_fee"], &view["complete"]), (&json!(true), &json!(false)));
        let months = view["months"].as_array().unwrap();
        assert_eq!(months.len(), 9);
        assert_eq!(months[7]["reached_ppm"], 1_000_000, "in August nothing was lost yet");
        assert_eq!(months[8]["reached_ppm"], 615_384);
        let missed: Vec<i64> =
            months.iter().map(|month| month["sums"][1]["missed"].as_i64().unwrap()).collect();
        assert_eq!(missed, [0, 0, 0, 0, 0, 0, 0, 0, 1]);
        // Each figure opens to its rows, the misses of exempt faults too.
        for (kind, count) in [("kept", 1), ("missed", 1), ("exempt", 1)] {
            let rows = call(&desk, Method::GET, restored["rows"][kind][0].as_str().unwrap(), None).await;
            assert_eq!(rows["items"].as_array().unwrap().len(), count, "{kind}");
        }
        let month = assessment(&desk, "2026-08?customer=plant").await;
        assert_eq!((&month["reached_ppm"], &month["decides_fee"]), (&json!(1_000_000), &json!(false)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assessment_comes_in_every_form_and_is_in_the_audit_trail() {
    both(|db| async move {
        let desk = desk(db).await;
        fault(&desk, "P1", START - 10 * DAY_MS, 5, None).await;
        for (form, begins) in
            [("json", "{"), ("csv", "\u{feff}指标,应完成"), ("xlsx", "PK"), ("pdf", "%PDF-")]
        {
            let path = format!("/api/v1/assessments/2026?customer=plant&format={form}");
            let first = desk.call(Some(Role::Manager), Method::GET, &path, None).await;
            assert_eq!(first.status, StatusCode::OK, "{}", first.text);
            assert!(first.text.starts_with(begins), "{form}");
            let again = desk.call(Some(Role::Manager), Method::GET, &path, None).await;
            assert_eq!(first.text, again.text, "equal figures give equal bytes: {form}");
            if form == "csv" {
                assert!(
                    first
                        .text
                        .contains("\r\n抢修及时率,1,0,1,0,0.000000,1.000000,0.800000,25,0.00,25.00\r\n"),
                    "{}",
                    first.text
                );
                assert!(first.text.contains("\r\n扣减的费用比例,,,,,0.0"), "{}", first.text);
            }
        }
        let audited = "SELECT COUNT(*) FROM audit WHERE action = 'assessment exported' \
             AND subject = 'assessment/2026/customer/plant' AND who = 'manager'";
        assert_eq!(crate::db::testing::int(&desk.app.db, audited).await.unwrap(), 8);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_assessed_says_why() {
    both(|db| async move {
        let desk = desk(db).await;
        let refused = [
            ("2026", 400, "invalid_parameter"),
            ("2026?customer=nobody", 404, "unknown_customer"),
            ("2026?customer=bank", 409, "no_assessment"),
            ("2027?customer=plant", 404, "period_not_begun"),
            ("26?customer=plant", 404, "unknown_period"),
            ("2026?customer=plant&format=doc", 400, "invalid_parameter"),
        ];
        for (path, status, code) in refused {
            let path = format!("/api/v1/assessments/{path}");
            let answer = desk.call(Some(Role::Admin), Method::GET, &path, None).await;
            assert_eq!(
                (answer.status.as_u16(), answer.json["code"].as_str()),
                (status, Some(code)),
                "{path}"
            );
        }
        let technician = desk
            .call(Some(Role::Technician), Method::GET, "/api/v1/assessments/2026?customer=plant", None)
            .await;
        assert_eq!(technician.status, StatusCode::FORBIDDEN);
    })
    .await;
}
