//! Contractors, what their technicians see, and the assessment of their work, on both databases.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use linewatch_shared::time::{DAY_MS, HOUR_MS};
use serde_json::{Value, json};

use super::testing::{START, TestAnswer, TestDesk};
use crate::app::tokens::{self, NewToken, TOKEN_MS_MAX};
use crate::app::{import, users};
use crate::auth::Role;
use crate::db::Db;
use crate::db::testing::both;

const CUSTOMERS: &str = "code,name,tier,pack,contractor\nplant,示例工厂,important,power-distribution,K1\n\
     other,Another Plant,important,power-distribution,\n";
/// O2 is another customer's, and K1's all the same; P2 is the customer's whose lines are K1's, and K2's.
const LINES: &str = "code,customer,site,in_service,contractor\nP1,plant,Hall,2026-01-01,\nP2,plant,Hall,2026-01-01,K2\n\
     O1,other,Yard,2026-01-01,\nO2,other,Gate,2026-01-01,K1\n";

struct Fixture {
    desk: TestDesk,
    /// Of a technician of K1.
    token: String,
}

impl Fixture {
    async fn new(db: Db) -> Self {
        let desk = TestDesk::new(db).await;
        for code in ["K1", "K2"] {
            let body = json!({ "code": code, "name": "示例代维", "contract_from": "2026-01-01",
                "contract_until": "2026-12-31", "pack": "power-distribution", "fee_part": "8%",
                "contact_name": "Sample Contact", "contact_phone": "010-555-0100" });
            let put = desk.call(Some(Role::Admin), Method::POST, "/api/v1/contractors", Some(body)).await;
            assert_eq!(put.status, StatusCode::CREATED, "{}", put.text);
        }
        for csv in [CUSTOMERS, LINES] {
            import::bytes(&desk.app.db, &desk.app.packs, csv.as_bytes(), false, START).await.unwrap();
        }
        let of = (Role::Technician, Some("K1".to_owned()));
        users::add_of(&desk.app.db, "k1-tech", of, "long enough now", (users::COMMAND, START)).await.unwrap();
        let new = NewToken { lasts_ms: Some(TOKEN_MS_MAX), ..NewToken::default() };
        let token = tokens::make(&desk.app.db, "k1-tech", new, users::COMMAND, START).await.unwrap();
        Self { desk, token }
    }

    /// As K1's technician.
    async fn own(&self, method: Method, path: &str, body: Option<Value>) -> TestAnswer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json");
        let body = body.map_or_else(Body::empty, |json| Body::from(json.to_string()));
        self.desk.send(request.body(body).unwrap()).await
    }

    async fn noc(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let answer = self.desk.call(Some(Role::Noc), method, path, body).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text);
        answer.json
    }

    async fn fault(&self, line: &str, hours_ago: i64) -> String {
        let at = (START - hours_ago * HOUR_MS).to_rfc3339();
        let body = json!({ "line": line, "channel": "hotline", "reported_at": at });
        self.noc(Method::POST, "/api/v1/faults", Some(body)).await["id"].as_str().unwrap().to_owned()
    }

    async fn request(&self, customer: &str, line: Option<&str>, site: Option<&str>) -> String {
        let body = json!({ "kind": "request", "class": "ordinary", "customer": customer, "line": line, "site": site,
            "title": "sample request", "pack": "service-desk", "owner": "noc" });
        self.noc(Method::POST, "/api/v1/matters", Some(body)).await["id"].as_str().unwrap().to_owned()
    }
}

/// A field of each item, in the items' order.
fn each(page: &Value, items: &str, field: &str) -> Vec<String> {
    let items = page[items].as_array().unwrap();
    items.iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contractor_s_technician_sees_what_the_contractor_maintains() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let mut faults = Vec::new();
        for (line, hours) in [("P1", 4), ("P2", 3), ("O1", 2), ("O2", 1)] {
            faults.push(f.fault(line, hours).await);
        }
        let matters = [
            f.request("plant", None, None).await,
            f.request("plant", Some("P2"), None).await,
            f.request("other", None, None).await,
            f.request("other", None, Some("Gate")).await,
        ];
        let get = async |path: &str| f.own(Method::GET, &format!("/api/v1/{path}"), None).await.json;
        assert_eq!(each(&get("faults").await, "items", "line"), ["O2", "P1"]);
        assert_eq!(each(&get("faults?limit=1").await, "items", "line"), ["O2"]);
        assert_eq!(get("faults?customer=plant&line=P2").await["items"], json!([]));
        let board = get("board").await;
        let mut lines = each(&board, "faults", "line");
        lines.sort();
        assert_eq!((lines, &board["agents"]["total"]), (vec!["O2".to_owned(), "P1".to_owned()], &json!(0)));
        assert_eq!(each(&get("lines").await, "items", "code"), ["O2", "P1"]);
        let mut seen = each(&get("matters").await, "items", "id");
        seen.sort();
        let mut own = vec![matters[0].clone(), matters[3].clone()];
        own.sort();
        assert_eq!(seen, own);
        let due = get("deadlines?limit=500").await;
        let subjects = due["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["fault"].as_str().or(item["matter"].as_str()).unwrap().to_owned());
        let subjects: std::collections::BTreeSet<String> = subjects.collect();
        let expected = [&faults[0], &faults[3], &matters[0], &matters[3]];
        assert_eq!(subjects, expected.into_iter().cloned().collect());
        // What is not its own is as if it were not there.
        for (path, code) in [
            (format!("faults/{}", faults[1]), "unknown_fault"),
            (format!("matters/{}", matters[1]), "unknown_matter"),
            ("lines/P2".to_owned(), "unknown_line"),
        ] {
            let answer = f.own(Method::GET, &format!("/api/v1/{path}"), None).await;
            assert_eq!(
                (answer.status, answer.json["code"].as_str()),
                (StatusCode::NOT_FOUND, Some(code)),
                "{path}"
            );
        }
        for path in ["customers", "agents", "planned-work", "duties", "upstreams/x", "reports/month/2026-09"]
        {
            let answer = f.own(Method::GET, &format!("/api/v1/{path}"), None).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        }
        // An in-house technician sees all of it.
        let all = f.desk.call(Some(Role::Technician), Method::GET, "/api/v1/faults", None).await.json;
        assert_eq!(all["items"].as_array().unwrap().len(), 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_works_on_its_own_and_grants_itself_nothing() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let (own, foreign) = (f.fault("P1", 1).await, f.fault("P2", 1).await);
        let step = async |fault: &str, fact: Value| {
            f.own(Method::POST, &format!("/api/v1/faults/{fault}/facts"), Some(fact)).await
        };
        assert_eq!(step(&own, json!({ "kind": "restored" })).await.status, StatusCode::OK);
        assert_eq!(step(&foreign, json!({ "kind": "restored" })).await.status, StatusCode::NOT_FOUND);
        let exempt = step(&own, json!({ "kind": "exempted", "cause": "customer_power" })).await;
        assert_eq!(
            (exempt.status, exempt.json["code"].as_str()),
            (StatusCode::FORBIDDEN, Some("contractor_scope"))
        );
        let report = json!({ "line": "O1", "channel": "technician" });
        let refused = f.own(Method::POST, "/api/v1/faults", Some(report)).await;
        assert_eq!(refused.json["code"], "unknown_line");
        let kept = "SELECT COUNT(*) FROM fact WHERE kind = 'exempted' OR (kind = 'reported' AND line = 'O1')";
        assert_eq!(crate::db::testing::int(&f.desk.app.db, kept).await.unwrap(), 0);
        // The contract's last day is a part of it; after it nobody of the contractor comes in.
        f.desk.clock.advance(101 * DAY_MS);
        assert_eq!(f.own(Method::GET, "/api/v1/session", None).await.json["contractor"], "K1");
        f.desk.clock.advance(DAY_MS);
        assert_eq!(f.own(Method::GET, "/api/v1/session", None).await.status, StatusCode::UNAUTHORIZED);
        let password =
            users::check_password(&f.desk.app.db, "k1-tech", "long enough now".into(), f.desk.app.now());
        assert_eq!(password.await.unwrap(), None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_grouped_by_who_did_the_work_and_who_maintains() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let own = f.fault("P1", 20).await;
        let at = (START - 17 * HOUR_MS).to_rfc3339();
        let fact = json!({ "kind": "restored", "occurred_at": at });
        f.own(Method::POST, &format!("/api/v1/faults/{own}/facts"), Some(fact)).await;
        f.fault("O1", 1).await;
        f.desk.clock.advance(DAY_MS);
        // From now on K2 maintains it: what has been stays K1's.
        let csv = b"code,customer,contractor\nP1,plant,K2\n";
        import::bytes(&f.desk.app.db, &f.desk.app.packs, csv, false, f.desk.app.now()).await.unwrap();
        let path = "/api/v1/reports/month/2026-09";
        let groups = f.noc(Method::GET, &format!("{path}?group=contractor"), None).await;
        assert_eq!(each(&groups, "groups", "key"), ["", "K1", "K2"]);
        let of = |at: usize, figure: &str| groups["groups"][at]["figures"][figure].as_i64().unwrap();
        assert_eq!((of(0, "faults"), of(1, "faults"), of(2, "faults")), (1, 1, 0));
        assert_eq!((of(1, "restoration_missed"), of(1, "interruption_ms")), (1, 3 * HOUR_MS));
        assert_eq!(groups["groups"][1]["label"]["zh"], "示例代维");
        let groups = f.noc(Method::GET, &format!("{path}?group=technician"), None).await;
        assert_eq!(each(&groups, "groups", "key"), ["", "k1-tech"]);
        assert_eq!(groups["groups"][1]["figures"]["restored"], 1);
        assert!(groups["groups"][1]["figures"]["service_ms"].is_null(), "time in service is nobody's work");
        let rows = format!("{path}/rows?figure=restoration_missed&group=technician&key=k1-tech");
        assert_eq!(each(&f.noc(Method::GET, &rows, None).await, "items", "fault"), [own]);
        let view = f.noc(Method::GET, "/api/v1/assessments/2026?contractor=K1", None).await;
        let restored = &view["figures"][1];
        assert_eq!((&view["subject"], &view["fee_part_ppm"]), (&json!("contractor"), &json!(80_000)));
        assert_eq!((&restored["owed"], &restored["missed"]), (&json!(1), &json!(1)));
        let rows = restored["rows"]["missed"][0].as_str().unwrap();
        assert_eq!(each(&f.noc(Method::GET, rows, None).await, "items", "line"), ["P1"]);
        let other = f.noc(Method::GET, "/api/v1/assessments/2026?contractor=K2", None).await;
        assert_eq!(other["figures"][1]["owed"], 0);
        // The line's time was K1's until today, and all of the plant's.
        let (k1, k2) = (&view["figures"][0]["owed"], &other["figures"][0]["owed"]);
        let plant = f.noc(Method::GET, "/api/v1/assessments/2026?customer=plant", None).await;
        let o2_ms = plant["figures"][0]["owed"].as_i64().unwrap() / 2;
        assert_eq!(k1.as_i64().unwrap() + k2.as_i64().unwrap(), 3 * o2_ms);
        for form in ["csv", "xlsx", "pdf"] {
            for group in ["technician", "contractor"] {
                let path = format!("{path}?group={group}&format={form}");
                let answer = f.desk.call(Some(Role::Noc), Method::GET, &path, None).await;
                assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contractor_is_written_down_whole_or_not_at_all() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let put =
            async |role, body| f.desk.call(Some(role), Method::POST, "/api/v1/contractors", Some(body)).await;
        for (body, field) in [
            (json!({ "code": "K3", "contract_from": "2026-01-01", "pack": "power-distribution" }), "name"),
            (json!({ "code": "K3", "name": "x", "pack": "power-distribution" }), "contract_from"),
            (json!({ "code": "K1", "pack": "group-line" }), "pack"),
            (json!({ "code": "K1", "pack": "none" }), "pack"),
            (json!({ "code": "K1", "contract_until": "2025-12-30" }), "contract_until"),
            (json!({ "code": "K1", "contract_until": "soon" }), "contract_until"),
            (json!({ "code": "K1", "fee_part": "120%" }), "fee_part"),
            (json!({ "code": "a b" }), "code"),
        ] {
            let refused = put(Role::Admin, body.clone()).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {}", refused.text);
            assert!(refused.text.contains(field), "{body}: {}", refused.text);
        }
        let body = json!({ "code": "K1", "contract_until": "", "fee_part": "" });
        assert_eq!(put(Role::Manager, body.clone()).await.status, StatusCode::FORBIDDEN);
        let changed = put(Role::Admin, body).await;
        assert_eq!((changed.status, &changed.json["contract_until"]), (StatusCode::OK, &Value::Null));
        assert_eq!(
            (&changed.json["fee_part_ppm"], &changed.json["name"]),
            (&Value::Null, &json!("示例代维"))
        );
        let list = f.noc(Method::GET, "/api/v1/contractors?limit=1", None).await;
        assert_eq!(each(&list, "items", "code"), ["K1"]);
        assert!(list["items"][0]["contact_phone"].is_null() && list["next_cursor"].is_string());
        let read = f.noc(Method::GET, "/api/v1/contractors/K1", None).await;
        assert_eq!(read["contact_phone"], "010-555-0100");
        let audited =
            "SELECT COUNT(*) FROM audit WHERE action = 'contact read' AND subject = 'contractor/K1'";
        assert_eq!(crate::db::testing::int(&f.desk.app.db, audited).await.unwrap(), 1);
        let unknown = import::bytes(
            &f.desk.app.db,
            &f.desk.app.packs,
            b"code,customer,contractor\nP9,plant,K9\n",
            false,
            START,
        );
        let unknown = unknown.await.unwrap_err().to_string();
        assert!(
            unknown.contains("line 2, contractor: there is no contractor with the code \"K9\""),
            "{unknown}"
        );
        let db = &f.desk.app.db;
        let no_noc = users::add_of(
            db,
            "x",
            (Role::Noc, Some("K1".to_owned())),
            "long enough now",
            (users::COMMAND, START),
        )
        .await;
        assert!(no_noc.unwrap_err().to_string().contains("only technicians"));
        let nobody = users::add_of(
            db,
            "x",
            (Role::Technician, Some("K9".to_owned())),
            "long enough now",
            (users::COMMAND, START),
        )
        .await;
        assert!(nobody.unwrap_err().to_string().contains("no contractor called"));
    })
    .await;
}
