//! The meeting's papers over the API, on both databases.

use axum::http::{Method, StatusCode};
use linewatch_shared::time::{DAY_MS, UnixMs};
use serde_json::{Value, json};

use super::testing::{START, TestAnswer, TestDesk};
use crate::app::import;
use crate::auth::Role;
use crate::db::testing::{both, int};
use crate::db::{Db, DbError};
use crate::store::papers;

/// The papers of the month that [`START`] lies in.
const PAPERS: &str = "/api/v1/papers/2026-09";

async fn post(desk: &TestDesk, path: &str, body: Value) -> Value {
    let answer = desk.call(Some(Role::Noc), Method::POST, &format!("/api/v1{path}"), Some(body)).await;
    assert!(answer.status.is_success(), "{path}: {}", answer.text);
    answer.json
}

/// A month with two faults, one of them exempt, and three complaints: two closed, a major one open. Its end has passed.
async fn month(db: Db) -> (TestDesk, String) {
    let desk = TestDesk::new(db).await;
    let customers = "code,name,tier,manager\nbank,Sample Bank,AAA,manager-1\nmill,Sample Mill,A,\n";
    for csv in [customers, "code,customer\nL1,bank\nL2,mill\n"] {
        import::bytes(&desk.app.db, &desk.app.packs, csv.as_bytes(), false, START - 60 * DAY_MS)
            .await
            .unwrap();
    }
    let mut faults = Vec::new();
    for line in ["L1", "L2"] {
        let body = json!({ "line": line, "channel": "hotline", "reporter": "sample caller" });
        faults.push(post(&desk, "/faults", body).await["id"].as_str().unwrap().to_owned());
    }
    let exempted = json!({ "kind": "exempted", "cause": "customer_power", "grantor": "head of desk" });
    post(&desk, &format!("/faults/{}/facts", faults[1]), exempted).await;
    for (class, done) in [("minor", true), ("minor", true), ("major", false)] {
        let body =
            json!({ "kind": "complaint", "class": class, "customer": "bank", "title": "Sample title" });
        let id = post(&desk, "/matters", body).await["id"].as_str().unwrap().to_owned();
        if done {
            for step in [
                json!({ "kind": "resolved", "text": "explained" }),
                json!({ "kind": "callback", "reached": true, "result": "satisfied" }),
            ] {
                post(&desk, &format!("/matters/{id}/facts"), step).await;
            }
        }
    }
    desk.clock.advance(6 * 3_600_000);
    let restored = json!({ "kind": "restored", "note": "the cable was spliced" });
    post(&desk, &format!("/faults/{}/facts", faults[0]), restored).await;
    desk.clock.advance(12 * DAY_MS);
    (desk, faults[0].clone())
}

async fn take(desk: &TestDesk, query: &str) -> TestAnswer {
    desk.call(Some(Role::Noc), Method::GET, &format!("{PAPERS}{query}"), None).await
}

fn sum(items: &Value) -> i64 {
    items.as_array().unwrap().iter().map(|item| item["count"].as_i64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_papers_say_what_the_report_counts_and_why() {
    both(|db| async move {
        let (desk, fault) = month(db).await;
        let answer = take(&desk, "").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let papers = answer.json;
        let report =
            desk.call(Some(Role::Noc), Method::GET, "/api/v1/reports/month/2026-09", None).await.json;
        for figure in papers["figures"].as_array().unwrap() {
            let name = figure["name"].as_str().unwrap();
            let counted = report["total"].get(name).or_else(|| report["ratios"].get(name)).unwrap();
            assert_eq!(&figure["value"], counted, "{name}");
            // August has been lived through, and nothing happened in it; a year ago there was no desk.
            assert_eq!(figure["year_before"], Value::Null, "{name}");
        }
        assert_eq!(papers["figures"][0]["month_before"], json!(0));
        let missed =
            report["total"]["missed"].as_i64().unwrap() + report["total"]["matters_missed"].as_i64().unwrap();
        assert!(missed > 10);
        assert_eq!(
            (sum(&papers["missed"]["items"]), papers["missed_count"].as_i64().unwrap()),
            (missed, missed)
        );
        let first = &papers["missed"]["items"][0];
        assert_eq!(
            (&first["kind"], &first["subject"], &first["line"]),
            (&json!("restoration"), &json!(fault), &json!("L1"))
        );
        assert_eq!((&first["done"], first["met_at"].is_string()), (&json!("the cable was spliced"), true));
        let granted = &papers["exemptions"]["items"][0];
        assert_eq!((&granted["grantor"], &granted["line"]), (&json!("head of desk"), &json!("L2")));
        let classes = papers["complaints"]["classes"].as_array().unwrap();
        let opened: Vec<(&Value, &Value)> =
            classes.iter().map(|class| (&class["class"], &class["opened"])).collect();
        assert_eq!(
            opened,
            [(&json!("service-desk/major"), &json!(1)), (&json!("service-desk/minor"), &json!(2))]
        );
        assert_eq!(papers["complaints"]["per_100_customers_centi"], json!(15_000));
        let grave = &papers["grave"]["items"];
        assert_eq!((grave.as_array().unwrap().len(), &grave[0]["title"]), (1, &json!("Sample title")));
        assert_eq!(papers["samples"]["items"].as_array().unwrap().len(), 2);
        assert_eq!(papers["customers_by_missed"]["items"][0]["name"], json!("Sample Bank"));
        assert_eq!(papers["customers_by_missed"]["items"][0]["code"], json!("bank"));
        let kinds: Vec<&Value> =
            papers["decisions"]["items"].as_array().unwrap().iter().map(|one| &one["kind"]).collect();
        assert!(kinds.contains(&&json!("samples_unchecked")), "{kinds:?}");
        for (form, lang) in [("pdf", "zh"), ("pdf", "en"), ("xlsx", "zh"), ("xlsx", "en")] {
            let answer = take(&desk, &format!("?format={form}&lang={lang}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
            let name = format!("attachment; filename=\"linewatch-papers-2026-09.{form}\"");
            assert_eq!(answer.headers["content-disposition"], name.as_str());
        }
        for (query, name) in [("?format=csv", "format"), ("?copy=last", "copy"), ("?copy=0", "copy")] {
            let refused = take(&desk, query).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.text);
            assert!(refused.text.contains(name), "{}", refused.text);
        }
        let audited = int(&desk.app.db, "SELECT COUNT(*) FROM audit WHERE action = 'papers exported'").await;
        assert_eq!(audited.unwrap(), 5);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_copy_is_what_the_meeting_had_and_says_what_changed_since() {
    both(|db| async move {
        let (desk, fault) = month(db).await;
        let approve = async |role, month: &str, body: Value| {
            desk.call(Some(role), Method::POST, &format!("/api/v1/papers/{month}/approval"), Some(body)).await
        };
        assert_eq!(
            approve(Role::Admin, "2026-09", json!({})).await.status,
            StatusCode::CONFLICT,
            "nothing was made"
        );
        let first = take(&desk, "").await.json;
        assert_eq!((&first["copy"]["number"], &first["copy"]["made_by"]), (&json!(1), &json!("noc")));
        assert_eq!(take(&desk, "").await.json["copy"]["number"], json!(1), "nothing new is no new copy");
        // What people wrote is not in the copy: an erasure need not look for it there.
        let body: Result<Option<Vec<u8>>, DbError> =
            desk.app.db.read(|tx| papers::body(tx, "2026-09", 1)).await;
        let kept = String::from_utf8(zstd::decode_all(body.unwrap().unwrap().as_slice()).unwrap()).unwrap();
        for written in ["spliced", "Sample title", "Sample Bank", "sample caller"] {
            assert!(
                !kept.contains(written)
                    && (written == "sample caller" || first.to_string().contains(written)),
                "{written}"
            );
        }
        assert_eq!(approve(Role::Noc, "2026-09", json!({})).await.status, StatusCode::FORBIDDEN);
        assert_eq!(approve(Role::Admin, "2026-09", json!({ "copy": 9 })).await.json["field"], json!("copy"));
        let approved = approve(Role::Admin, "2026-09", json!({ "copy": 1 })).await;
        assert_eq!(approved.json["copies"][0]["approved_by"], json!("admin"), "{}", approved.text);
        assert_eq!(take(&desk, "").await.json["changed_since"], json!([]));
        // Learnt in October: service was back after an hour.
        let back_at = UnixMs(START.0 + 3_600_000).to_rfc3339();
        post(&desk, &format!("/faults/{fault}/facts"), json!({ "kind": "restored", "occurred_at": back_at }))
            .await;
        let read = take(&desk, "").await.json;
        assert_eq!((&read["copy"]["number"], &read["figures"]), (&json!(1), &first["figures"]));
        let changed = read["changed_since"].as_array().unwrap();
        let missed = changed.iter().find(|figure| figure["name"] == json!("restoration_missed")).unwrap();
        assert_eq!((&missed["then"], &missed["now"]), (&json!(1), &json!(0)));
        let fresh = take(&desk, "?copy=new").await.json;
        assert_eq!((&fresh["copy"]["number"], fresh["copies"].as_array().unwrap().len()), (&json!(2), 2));
        assert_ne!(fresh["figures"], first["figures"]);
        assert_eq!(take(&desk, "?copy=1").await.json["figures"], first["figures"]);
        assert_eq!(take(&desk, "?copy=7").await.status, StatusCode::NOT_FOUND);
        assert_eq!(take(&desk, "?format=pdf").await.status, StatusCode::OK, "with what changed since");
        approve(Role::Admin, "2026-09", json!({})).await;
        assert_eq!(take(&desk, "").await.json["copy"]["number"], json!(2), "the one approved last");
        // The papers of a running month are neither kept nor approved, and one ahead has none.
        let get = async |path: &str| desk.call(Some(Role::Noc), Method::GET, path, None).await;
        let running = get("/api/v1/papers/2026-10").await.json;
        assert_eq!(
            (&running["complete"], &running["copy"], &running["copies"]),
            (&json!(false), &Value::Null, &json!([]))
        );
        assert_eq!(approve(Role::Admin, "2026-10", json!({})).await.status, StatusCode::CONFLICT, "it runs");
        assert_eq!(get("/api/v1/papers/2026-11").await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_late_facts_changed_of_an_earlier_month_is_in_the_next_papers() {
    both(|db| async move {
        let (desk, fault) = month(db).await;
        let reported = "/api/v1/reports/month/2026-09";
        desk.call(Some(Role::Noc), Method::GET, reported, None).await;
        desk.clock.advance(DAY_MS);
        let back_at = UnixMs(START.0 + 3_600_000).to_rfc3339();
        post(&desk, &format!("/faults/{fault}/facts"), json!({ "kind": "restored", "occurred_at": back_at }))
            .await;
        desk.clock.advance(30 * DAY_MS);
        // Nobody took September's report again.
        let october = desk.call(Some(Role::Noc), Method::GET, "/api/v1/papers/2026-10", None).await.json;
        let late = october["late"]["items"].as_array().unwrap();
        let missed = late.iter().find(|change| change["figure"] == json!("restoration_missed")).unwrap();
        let said = ["month", "before", "after"].map(|name| missed[name].clone());
        assert_eq!(said, [json!("2026-09"), json!(1), json!(0)]);
        assert!(missed["learnt_at"].is_string());
    })
    .await;
}
