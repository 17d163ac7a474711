//! Customers and lines over the API, on both databases.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use linewatch_shared::time::MINUTE_MS;
use serde_json::{Value, json};

use super::testing::{START, TestAnswer, TestDesk};
use crate::app::{import, live};
use crate::auth::Role;
use crate::db::{Db, testing::both, testing::int};

const CUSTOMERS: &str = "code,name,tier,region,manager\nbank,Sample Bank,AAA,华东,manager-1\nmill,Sample Mill,A,North,\ninn,Sample Inn,A,,\n";
const LINES: &str = "code,customer,site\nB1,bank,HQ\nM1,mill,Mill\nM2,mill,Yard\nI1,inn,Front\n";

async fn desk(db: Db) -> TestDesk {
    let desk = TestDesk::new(db).await;
    for file in [CUSTOMERS, LINES] {
        import::bytes(&desk.app.db, &Arc::clone(&desk.app.packs), file.as_bytes(), false, START)
            .await
            .unwrap();
    }
    desk
}

async fn get(desk: &TestDesk, path: &str) -> TestAnswer {
    desk.call(Some(Role::Noc), Method::GET, &format!("/api/v1{path}"), None).await
}

/// What every item of a list says under a name.
fn each(list: &Value, name: &str) -> Vec<Value> {
    list.as_array().unwrap().iter().map(|item| item[name].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_s_region_is_with_its_faults_and_lines_and_narrows_their_lists() {
    both(|db| async move {
        let desk = desk(db).await;
        for line in ["B1", "M1", "I1"] {
            let body = json!({ "line": line, "channel": "hotline" });
            let taken_in = desk.call(Some(Role::Noc), Method::POST, "/api/v1/faults", Some(body)).await;
            assert_eq!(taken_in.status, StatusCode::CREATED, "{}", taken_in.text);
        }
        let mut shown = each(&get(&desk, "/board").await.json["faults"], "region");
        shown.sort_by_key(Value::to_string);
        assert_eq!(shown, [json!("North"), json!("华东"), Value::Null]);
        let (faults, now) = (desk.app.desk.clone(), desk.app.now());
        let framed = desk.app.db.read(move |tx| live::frame(&faults, tx, 0, now)).await.unwrap();
        let told: Vec<&str> =
            framed.iter().filter(|item| item.kind == "fault").map(|item| item.data.as_str()).collect();
        assert_eq!(told.len(), 3);
        assert_eq!(told.iter().filter(|data| data.contains("\"region\":\"华东\"")).count(), 1);
        assert_eq!(
            told.iter().filter(|data| data.contains("\"region\"")).count(),
            2,
            "nothing where none is"
        );

        for (list, name, expected) in [
            ("/faults?region=North", "line", vec!["M1"]),
            ("/faults?region=%E5%8D%8E%E4%B8%9C&limit=1", "line", vec!["B1"]),
            ("/faults?region=north", "line", vec![]),
            ("/lines?region=North", "code", vec!["M1", "M2"]),
            ("/lines?region=North&q=yard", "code", vec!["M2"]),
            ("/lines?region=North&customer=bank", "code", vec![]),
            ("/customers?region=North", "code", vec!["mill"]),
        ] {
            let found = get(&desk, list).await.json;
            assert_eq!(each(&found["items"], name), expected, "{list}");
        }
        let lines = get(&desk, "/lines").await.json;
        let regions = each(&lines["items"], "region");
        assert_eq!(regions, [json!("华东"), Value::Null, json!("North"), json!("North")]);
        assert_eq!(get(&desk, "/lines/M1").await.json["region"], "North");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_customer_is_read_by_its_code_and_who_read_its_contact_is_on_record_once() {
    both(|db| async move {
        let desk = desk(db).await;
        let contact = "code,name,tier,contact_name,contact_phone\nbank,Sample Bank,AAA,duty desk,000-0000-0001\n";
        import::bytes(&desk.app.db, &desk.app.packs, contact.as_bytes(), false, START).await.unwrap();
        let listed = get(&desk, "/customers?q=bank").await.json["items"][0].clone();
        let noted = "SELECT COUNT(*) FROM audit WHERE action = 'contact read' AND who = 'noc' AND subject = 'customer/bank'";
        for (minutes, expected) in [(0, 1), (10, 1), (10, 2)] {
            desk.clock.advance(minutes * MINUTE_MS);
            let read = get(&desk, "/customers/bank").await;
            assert_eq!((read.status, &read.json), (StatusCode::OK, &listed));
            assert_eq!(int(&desk.app.db, noted).await.unwrap(), expected, "after {minutes} more minutes");
        }
        // Where nobody is to be called nothing is read.
        assert_eq!(get(&desk, "/customers/mill").await.json["region"], "North");
        let all = "SELECT COUNT(*) FROM audit WHERE action = 'contact read'";
        assert_eq!(int(&desk.app.db, all).await.unwrap(), 3, "and once in the list");
        let unknown = get(&desk, "/customers/ban").await;
        assert_eq!((unknown.status, &unknown.json["code"]), (StatusCode::NOT_FOUND, &json!("unknown_customer")));
        assert_eq!(get(&desk, "/customers/at-risk").await.status, StatusCode::OK, "a list, no customer");
    })
    .await;
}
