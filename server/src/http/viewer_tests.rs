//! What open boards are sent, on both databases.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{Method, Request, StatusCode};
use futures::StreamExt;
use serde_json::{Value, json};

use super::confidential::Withheld;
use super::testing::{START, TestDesk};
use super::viewer;
use crate::app::live::{self, Item};
use crate::app::{App, import};
use crate::auth::Role;
use crate::db::Db;
use crate::db::testing::both;
use crate::store::scope::Scope;

const BOUND: Duration = Duration::from_secs(20);
const CUSTOMERS: &str = "code,name,tier,contact_name,contact_phone\nbank,Sample Bank,AAA,desk,010-555-0100\n";
const LINES: &str = "code,customer,site,contractor\nL1,bank,HQ,\nL2,bank,Branch,K1\n";

async fn desk(db: Db) -> TestDesk {
    let desk = TestDesk::new(db).await;
    let contractor = json!({ "code": "K1", "name": "示例代维", "contract_from": "2026-01-01",
        "contract_until": "2026-12-31", "pack": "power-distribution", "fee_part": "8%",
        "contact_name": "Sample Contact", "contact_phone": "010-555-0101" });
    post(&desk, Role::Admin, "/contractors", contractor).await;
    for csv in [CUSTOMERS, LINES] {
        import::bytes(&desk.app.db, &desk.app.packs, csv.as_bytes(), false, START).await.unwrap();
    }
    desk
}

async fn post(desk: &TestDesk, role: Role, path: &str, body: Value) -> Value {
    let answer = desk.call(Some(role), Method::POST, &format!("/api/v1{path}"), Some(body)).await;
    assert!(answer.status.is_success(), "{path}: {}", answer.text);
    answer.json
}

/// A viewer from the first event on, and all that it was sent.
struct Seen {
    stream: BodyDataStream,
    text: String,
}

impl Seen {
    fn open(app: &Arc<App>, contractor: Option<&str>, withheld: Option<&str>) -> Self {
        let withheld = Withheld(withheld.map(str::to_owned));
        let scope = contractor.map_or(Scope::Everything, |code| Scope::Contractor(code.to_owned()));
        let response = viewer::open(Arc::clone(app), scope, withheld, Some(0), None);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { stream: response.into_body().into_data_stream(), text: String::new() }
    }

    async fn until(&mut self, wanted: impl Fn(&str) -> bool) {
        let reading = async {
            while !wanted(&self.text) {
                let bytes = self.stream.next().await.expect("the stream has ended").unwrap();
                self.text.push_str(std::str::from_utf8(&bytes).unwrap());
            }
        };
        tokio::time::timeout(BOUND, reading).await.unwrap_or_else(|_| panic!("only:\n{}", self.text));
    }

    /// The numbers of what it was told, in the order in which it was.
    fn numbers(&self) -> Vec<i64> {
        let ids = self.text.lines().filter_map(|line| line.strip_prefix("id: "));
        ids.map(|number| number.parse().unwrap()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_viewer_hears_once_of_what_it_may_see() {
    both(|db| async move {
        let desk = desk(db).await;
        let app = &desk.app;
        let hub = tokio::spawn(live::run(Arc::clone(app)));
        let open = || {
            [
                Seen::open(app, None, None),
                Seen::open(app, None, None),
                Seen::open(app, None, Some("no agreement")),
                Seen::open(app, Some("K1"), None),
            ]
        };
        let early = open();
        let mut faults = Vec::new();
        for line in ["L1", "L2"] {
            let body = json!({ "line": line, "channel": "hotline", "reporter": "caller" });
            faults.push(post(&desk, Role::Noc, "/faults", body).await["id"].as_str().unwrap().to_owned());
        }
        // In the midst of it, whatever has been sent by now.
        let late = open();
        for fault in &faults {
            let fact = json!({ "kind": "acknowledged" });
            post(&desk, Role::Noc, &format!("/faults/{fault}/facts"), fact).await;
        }
        let of = |text: &str, line: &str| text.contains(&format!("\"line\":\"{line}\""));
        for (n, mut seen) in early.into_iter().chain(late).enumerate() {
            let is_contractor = n % 4 == 3;
            seen.until(|text| {
                let acknowledged = text.matches("\"state\":\"acknowledged\"").count();
                acknowledged == if is_contractor { 1 } else { 2 }
            })
            .await;
            assert!(of(&seen.text, "L2"));
            assert_eq!(of(&seen.text, "L1"), !is_contractor, "viewer {n}");
            assert_eq!(seen.text.contains("010-555-0100"), n % 4 != 2, "viewer {n}");
            let numbers = seen.numbers();
            assert!(numbers.is_sorted_by(|a, b| a < b), "viewer {n}: {numbers:?}");
        }
        app.shutdown.cancel();
        hub.await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_viewer_reads_again_and_holds_up_nobody() {
    both(|db| async move {
        let desk = desk(db).await;
        let (mut quick, mut slow) = (Seen::open(&desk.app, None, None), Seen::open(&desk.app, None, None));
        // The first thing that each is sent says that it listens.
        for seen in [&mut quick, &mut slow] {
            seen.until(|text| text.contains("event: tick")).await;
        }
        for n in 1..=100 {
            let data = json!({ "n": n }).to_string();
            desk.app.live.send(vec![Item { n, kind: "agent".to_owned(), data, line: None, visit: None }]);
            quick.until(|text| text.contains(&format!("id: {n}\n"))).await;
        }
        assert_eq!(quick.numbers(), (1..=100).collect::<Vec<_>>());
        assert!(!quick.text.contains("event: reset"));
        slow.until(|text| text.contains("event: reset")).await;
        assert!(slow.numbers().len() < 100);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_snapshot_is_the_same_compressed_and_plain() {
    both(|db| async move {
        let desk = desk(db).await;
        let body = json!({ "line": "L1", "channel": "hotline", "reporter": "caller" });
        post(&desk, Role::Noc, "/faults", body).await;
        let read = async |encoding: &str| {
            let token = format!("Bearer {}", desk.token(Role::Noc));
            let request = Request::get("/api/v1/board").header("authorization", token);
            desk.send(request.header("accept-encoding", encoding).body(Body::empty()).unwrap()).await
        };
        for plain in ["identity", "gzip;q=0"] {
            let answer = read(plain).await;
            assert_eq!((answer.status, answer.headers.get("content-encoding")), (StatusCode::OK, None));
            assert_eq!(answer.json["faults"][0]["line"], "L1");
        }
        let packed = read("br;q=0.1, gzip").await;
        assert_eq!(packed.headers["content-encoding"], "gzip");
        assert_eq!(packed.headers.get_all("content-encoding").iter().count(), 1);
        assert_eq!(packed.headers["content-type"], "application/json");
        let better = read("gzip, deflate, br, zstd").await;
        assert_eq!(
            (&better.headers["content-encoding"], &better.headers["vary"]),
            (&"zstd".parse().unwrap(), &"accept-encoding".parse().unwrap())
        );
    })
    .await;
}
