//! The open work that agents are told of, on both databases.

use std::sync::Arc;

use axum::http::Method;
use linewatch_shared::sla::Event;
use linewatch_shared::time::{MINUTE_MS, SECOND_MS};
use linewatch_shared::wire::{self, Tasks, TasksAnswer, Work, record_hash};
use serde_json::{Value, json};

use super::testing::{START, TestDesk};
use crate::app::import;
use crate::auth::Role;
use crate::db::Db;
use crate::db::testing::both;

const CUSTOMERS: &str = "code,name,tier,manager\nbank,Sample Bank,AAA,manager\nmill,Sample Mill,A,manager\n";
const LINES: &str =
    "code,customer,site,agent\nL1,bank,HQ,site-1\nL2,bank,Branch,site-2\nM1,mill,Mill,site-2\n";

async fn desk(db: Db) -> TestDesk {
    let desk = TestDesk::new(db).await;
    for file in [CUSTOMERS, LINES] {
        let packs = Arc::clone(&desk.app.packs);
        import::bytes(&desk.app.db, &packs, file.as_bytes(), false, START).await.unwrap();
    }
    for agent in ["site-1", "site-2"] {
        desk.enrol(agent).await;
    }
    desk
}

async fn post(desk: &TestDesk, path: &str, body: Value) -> Value {
    let answer = desk.call(Some(Role::Noc), Method::POST, &format!("/api/v1{path}"), Some(body)).await;
    assert!(answer.status.is_success(), "{path}: {}", answer.text);
    answer.json
}

async fn ask(desk: &TestDesk, agent: &str, known: Option<wire::Hash>) -> TasksAnswer {
    desk.told(agent, "/sync/v1/tasks", &Tasks { known }).await
}

/// Lines of the faults, titles of the matters.
fn shown(work: &Work) -> (Vec<&str>, Vec<&str>) {
    let lines = work.faults.iter().map(|fault| fault.line.as_str()).collect();
    (lines, work.matters.iter().map(|matter| matter.matter.title.as_str()).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_told_of_its_lines_and_their_customers_alone() {
    both(|db| async move {
        let desk = desk(db).await;
        let mut faults = Vec::new();
        for line in ["L1", "L2", "M1"] {
            let body = json!({ "line": line, "channel": "hotline", "reporter": "Sample Person", "description": "no service" });
            faults.push(post(&desk, "/faults", body).await["id"].as_str().unwrap().to_owned());
        }
        post(&desk, &format!("/faults/{}/facts", faults[0]), json!({ "kind": "acknowledged" })).await;
        for (customer, title) in [("bank", "no invoice"), ("mill", "too slow")] {
            let body = json!({ "kind": "complaint", "class": "minor", "customer": customer, "title": title,
                "description": "in full", "reporter": "Sample Person" });
            post(&desk, "/matters", body).await;
        }
        post(&desk, "/leaks", json!({ "what": "a list", "customers": ["bank"] })).await;
        let TasksAnswer { digest, work } = ask(&desk, "site-1", None).await;
        let work = work.unwrap();
        assert_eq!(shown(&work), (vec!["L1"], vec!["no invoice"]), "no leak, nothing of others");
        assert_eq!(digest, record_hash(&wire::encode(&work).unwrap()));
        let fault = &work.faults[0];
        assert_eq!(fault.id.to_string(), faults[0]);
        let kinds: Vec<&str> = fault.facts.iter().map(|fact| fact.event.name()).collect();
        assert_eq!(kinds, ["reported", "acknowledged"]);
        assert!(matches!(&fault.facts[0].event, Event::Report { reporter, .. } if reporter == "Sample Person"));
        assert_eq!(fault.facts[1].by, "noc");
        let matter = &work.matters[0];
        assert_eq!((matter.description.as_str(), matter.reporter.as_str()), ("in full", "Sample Person"));
        let other = ask(&desk, "site-2", None).await.work.unwrap();
        assert_eq!(shown(&other), (vec!["L2", "M1"], vec!["no invoice", "too slow"]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_already_is_not_sent_and_every_change_is() {
    both(|db| async move {
        let desk = desk(db).await;
        let nothing = ask(&desk, "site-1", None).await;
        assert_eq!(nothing.work, Some(Work::default()));
        assert!(ask(&desk, "site-1", Some(nothing.digest)).await.work.is_none());
        let body = json!({ "line": "L1", "channel": "hotline", "reporter": "x", "description": "y" });
        let fault = post(&desk, "/faults", body).await["id"].as_str().unwrap().to_owned();
        let facts = format!("/faults/{fault}/facts");
        let mut known = nothing.digest;
        let mut seen = vec![known];
        for (kind, open) in [("", 1), ("acknowledged", 1), ("restored", 1), ("repaired", 1), ("callback", 0)]
        {
            match kind {
                "" => {}
                "callback" => {
                    post(&desk, &facts, json!({ "kind": kind, "reached": true, "result": "satisfied" }))
                        .await;
                }
                _ => {
                    post(&desk, &facts, json!({ "kind": kind })).await;
                }
            }
            // Right after it, and once the digest is remembered.
            let told = ask(&desk, "site-1", Some(known)).await;
            assert_eq!(told.work.as_ref().map(|work| work.faults.len()), Some(open), "{kind}");
            known = told.digest;
            for _ in 0..3 {
                let same = ask(&desk, "site-1", Some(known)).await;
                assert!(same.work.is_none() && same.digest == known, "{kind}");
                desk.clock.advance(3 * SECOND_MS);
            }
            assert!(ask(&desk, "site-1", None).await.work.is_some(), "an agent that lost it gets it again");
            assert!(kind == "callback" || !seen.contains(&known), "{kind}");
            seen.push(known);
            desk.clock.advance(MINUTE_MS);
        }
        assert_eq!(known, nothing.digest, "over");
        // The line becomes another agent's.
        let body = json!({ "line": "L1", "channel": "hotline", "reporter": "x", "description": "y" });
        post(&desk, "/faults", body).await;
        let told = ask(&desk, "site-1", Some(known)).await;
        assert_eq!(told.work.unwrap().faults.len(), 1);
        desk.clock.advance(MINUTE_MS);
        assert!(ask(&desk, "site-1", Some(told.digest)).await.work.is_none());
        let csv = b"code,customer,site,agent\nL1,bank,HQ,site-2\n";
        import::bytes(&desk.app.db, &desk.app.packs, csv, false, desk.app.now()).await.unwrap();
        assert_eq!(ask(&desk, "site-1", Some(told.digest)).await.work, Some(Work::default()));
    })
    .await;
}
