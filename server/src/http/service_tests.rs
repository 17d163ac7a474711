//! The end of a service, and erasure, on both databases.

use std::sync::Arc;

use axum::http::Method;
use linewatch_shared::facts::{
    Body, Channel, Deed, Lane, Media, Opened, Part as NamedPart, PartRole, Place, Promised, Reading, Record,
    Report, Step, StepKind, Visit, When,
};
use linewatch_shared::matter::{MatterStep, Point};
use linewatch_shared::rules::{Answer, AnswerValue, MatterKind};
use linewatch_shared::time::{DAY_MS, HOUR_MS, MINUTE_MS, MonoMs, UnixMs};
use linewatch_shared::wire::{Chain, Chunk, Envelope, PROTOCOL, PartHeld, record_hash};
use serde_json::{Value, json};
use uuid::Uuid;

use super::testing::{START, TestAnswer, TestDesk};
use crate::app::desk::ingest::{Part, Taken, take};
use crate::app::desk::{Channels, Desk, engine};
use crate::app::matters::duties::{assign, begin_rounds};
use crate::app::{agents, erasure, import, parts, service};
use crate::auth::Role;
use crate::db::testing::{both, int};
use crate::db::{Db, DbError, Priority, Tx};
use crate::store::{self, plans};

const CUSTOMERS: &str = "code,name,tier,manager,manager_email,contact_name,contact_phone\n\
     bank,Sample Bank,AAA,Manager A,a@example.invalid,CANARY contact,CANARY 010-88881234\n\
     mill,Sample Mill,AAA,Manager B,b@example.invalid,Miller,010-77771234\n";
const LINES: &str = "code,customer,site,agent,probe\nL1,bank,HQ,site-1,icmp://10.1.2.3\nL2,mill,Mill,site-1,icmp://10.1.2.4\n";

async fn desk(db: Db) -> TestDesk {
    let desk = TestDesk::new(db).await;
    for file in [CUSTOMERS, LINES] {
        let packs = Arc::clone(&desk.app.packs);
        import::bytes(&desk.app.db, &packs, file.as_bytes(), false, START - DAY_MS).await.unwrap();
    }
    desk
}

async fn call(desk: &TestDesk, method: Method, path: &str, body: Value) -> TestAnswer {
    desk.call(Some(Role::Admin), method, &format!("/api/v1{path}"), Some(body)).await
}

async fn post(desk: &TestDesk, path: &str, body: Value) -> Value {
    let answer = call(desk, Method::POST, path, body).await;
    assert!(answer.status.is_success(), "{path}: {}", answer.text);
    answer.json
}

async fn get(desk: &TestDesk, path: &str) -> TestAnswer {
    desk.call(Some(Role::Admin), Method::GET, &format!("/api/v1{path}"), None).await
}

async fn end(desk: &TestDesk, path: &str, at: Option<UnixMs>) -> TestAnswer {
    let body = json!({ "ends_at": at.map(UnixMs::to_rfc3339) });
    call(desk, Method::PUT, &format!("{path}/service-end"), body).await
}

async fn report(desk: &TestDesk, line: &str, words: &str) -> Value {
    let body = json!({ "line": line, "channel": "hotline", "reporter": words, "description": words });
    post(desk, "/faults", body).await
}

fn with_mail(desk: &TestDesk) -> Desk {
    Desk { channels: Channels { email: true, ..Channels::default() }, ..desk.app.desk.clone() }
}

/// What the loops do at a moment: duties, rounds, and ends that have come.
async fn come_round(desk: &TestDesk, now: UnixMs) {
    let inner = desk.app.desk.clone();
    let work = move |tx: &mut Tx<'_>| {
        service::come_round(&inner, tx, now).map_err(DbError::from)?;
        assign(&inner, tx, "", now)?;
        begin_rounds(&inner, tx, now)
    };
    desk.app.db.write(Priority::Engine, work).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_end_of_its_service_on_nothing_is_promised() {
    both(|db| async move {
        let desk = desk(db).await;
        come_round(&desk, START).await;
        let open_rounds =
            "SELECT COUNT(*) FROM matter WHERE customer = 'bank' AND kind = 'visit' AND live = 1";
        assert!(int(&desk.app.db, open_rounds).await.unwrap() > 0);

        assert_eq!(end(&desk, "/customers/bank", Some(START - HOUR_MS)).await.status, 422);
        assert_eq!(end(&desk, "/customers/nobody", Some(START)).await.json["code"], "unknown_customer");
        assert_eq!(call(&desk, Method::PUT, "/customers/bank/service-end", json!({})).await.status, 422);
        let noc =
            desk.call(Some(Role::Noc), Method::PUT, "/api/v1/customers/bank/service-end", Some(json!({})));
        assert_eq!(noc.await.status, 403);
        assert_eq!(end(&desk, "/customers/bank", Some(START + HOUR_MS)).await.status, 200);
        // An import in between knows of the end that lies ahead.
        let packs = Arc::clone(&desk.app.packs);
        let other_tier = CUSTOMERS.replace("bank,Sample Bank,AAA", "bank,Sample Bank,AA");
        import::bytes(&desk.app.db, &packs, other_tier.as_bytes(), false, START + 1).await.unwrap();
        desk.clock.advance(2);
        let before = report(&desk, "L1", "caller").await;
        assert_eq!((&before["tier"], &before["restoration"]["state"]), (&json!("AA"), &json!("running")));

        desk.clock.advance(DAY_MS * 3);
        let fault = format!("/faults/{}/facts", before["id"].as_str().unwrap());
        for kind in ["restored", "repaired"] {
            post(&desk, &fault, json!({ "kind": kind })).await;
        }
        post(&desk, &fault, json!({ "kind": "callback", "reached": true, "result": "satisfied" })).await;
        desk.clock.advance(MINUTE_MS);
        let after = report(&desk, "L1", "caller").await;
        assert_ne!(after["id"], before["id"]);
        assert_eq!((&after["restoration"], &after["feedback"]), (&Value::Null, &Value::Null), "{after}");
        assert!(after["not_promised"].as_str().unwrap().starts_with("the service ended at "), "{after}");
        let path = format!("/faults/{}", after["id"].as_str().unwrap());
        assert_eq!(get(&desk, &path).await.json["deadlines"], json!([]));
        assert_eq!(after["state"], "open", "it is taken in all the same");

        come_round(&desk, START + DAY_MS * 3).await;
        assert_eq!(int(&desk.app.db, open_rounds).await.unwrap(), 0, "and what would come round does not");
        let pulled = "SELECT COUNT(*) FROM line WHERE service_over = 1";
        assert_eq!(int(&desk.app.db, pulled).await.unwrap(), 1);
        let duty = json!({ "pack": "power-distribution", "cadence": "quarterly", "customer": "bank" });
        let refused = call(&desk, Method::POST, "/duties", duty).await;
        assert!(refused.text.contains("the service of customer bank ended at"), "{}", refused.text);

        assert_eq!(end(&desk, "/customers/bank", None).await.status, 200);
        come_round(&desk, START + DAY_MS * 3 + 1).await;
        assert_eq!(int(&desk.app.db, pulled).await.unwrap(), 0, "its service goes on");
        assert_eq!(end(&desk, "/lines/L2", Some(START + DAY_MS * 4)).await.status, 200);
        desk.clock.advance(DAY_MS * 2);
        assert_ne!(report(&desk, "L2", "caller").await["not_promised"], Value::Null);
    })
    .await;
}

/// Pushes records in a lane of the agent's journal.
async fn push(desk: &TestDesk, epoch: u64, lane: Lane, records: &[Record]) -> Taken {
    let bodies: Vec<Vec<u8>> = records.iter().map(|record| record.to_bytes().unwrap()).collect();
    let envelope = Envelope {
        protocol: PROTOCOL,
        epoch,
        lane,
        first: 1,
        chain: Chain::START,
        count: bodies.len() as u32,
    };
    let (inner, now) = (with_mail(desk), desk.app.now());
    let work = move |tx: &mut Tx<'_>| {
        let agent = agents::ensure(tx, "site-1", now).map_err(|error| DbError::Data(error.to_string()))?;
        take(&inner, tx, &Part { agent, envelope: &envelope, bodies: &bodies, skip: 0 }, now)
    };
    desk.app.db.write(Priority::Ingest, work).await.unwrap()
}

fn record(id: u128, at: UnixMs, body: Body) -> Record {
    let written = Reading { wall: at, mono: MonoMs(at.0) };
    let (id, boot) = (Uuid::from_u128(id), Uuid::from_u128(7));
    Record { id, boot, written, occurred: When::Typed(at), by: Some("technician-1".to_owned()), body }
}

fn words(what: &str) -> String {
    format!("CANARY {what}")
}

fn sent(customer: &str, line: &str, first: u128, at: UnixMs) -> (Vec<Record>, Record) {
    let report = Report {
        line: line.to_owned(),
        channel: Channel::Technician,
        reporter: words("field reporter"),
        description: words("field description"),
    };
    let note = Step {
        fault: Uuid::from_u128(first),
        kind: StepKind::Note { text: words("field note") },
        note: Some(words("beside it")),
    };
    let faults = vec![record(first, at, Body::Report(report)), record(first + 1, at + 1, Body::Step(note))];
    let visit = Visit {
        customer: customer.to_owned(),
        site: "HQ".to_owned(),
        met: words("met"),
        purpose: words("purpose"),
        findings: words("findings"),
        needs: words("needs"),
        promises: words("promises"),
        signed_by: Some(words("visit signature")),
        points: vec![Point {
            name: "labels".to_owned(),
            ok: false,
            reading: None,
            note: words("point"),
            class: None,
            equipment: None,
        }],
        promised: vec![Promised { title: words("promised"), until: at + DAY_MS }],
        answers: vec![Answer { field: "words".to_owned(), value: AnswerValue::Text(words("answer")) }],
        parts: vec![NamedPart {
            role: PartRole::Photo,
            media: Media::Jpeg,
            sha256: record_hash(&photo()),
            bytes: photo().len() as u64,
            caption: words("caption"),
            taken_at: None,
            place: Some(Place { latitude_udeg: 31_230_416, longitude_udeg: 121_473_701 }),
        }],
        ..Visit::default()
    };
    (faults, record(first + 2, at, Body::Visit(visit)))
}

/// Bytes that begin as a photo does.
fn photo() -> Vec<u8> {
    [b"\xff\xd8\xff".as_slice(), b"CANARY in a photo"].concat()
}

/// Everything that people may say of a customer, said.
async fn say_everything(desk: &TestDesk) {
    let at = desk.app.now();
    let (faults, visit) = sent("bank", "L1", 100, at - HOUR_MS);
    push(desk, 1, Lane::Fault, &faults).await;
    push(desk, 1, Lane::Desk, &[visit]).await;
    let opened = Opened {
        kind: MatterKind::Complaint,
        class: Some("unheard of".to_owned()),
        customer: "bank".to_owned(),
        line: None,
        site: None,
        title: words("taken in"),
        description: words("taken in in full"),
        reporter: words("taken in from"),
    };
    let deed = |id| Deed { matter: Uuid::from_u128(id), step: MatterStep::Resolved { how: words("how") } };
    let field = [
        record(700, at, Body::Opened(opened.clone())),
        record(701, at, Body::Deed(deed(700))),
        record(702, at, Body::Opened(Opened { kind: MatterKind::Visit, ..opened })),
    ];
    assert!(matches!(push(desk, 6, Lane::Desk, &field).await, Taken::Upto(_, 0)));
    let note = json!({ "note": words("what came of it") });
    post(desk, &format!("/conflicts/{}/settled", Uuid::from_u128(700)), note).await;
    let chunk = Chunk { part: record_hash(&photo()), at: 0, bytes: photo() };
    let whole = move |tx: &mut Tx<'_>| {
        let agent = store::agents::ids_by_name(tx)?["site-1"];
        parts::take(tx, agent, &chunk, at)
    };
    let whole: Result<PartHeld, DbError> = desk.app.db.write(Priority::Ingest, whole).await;
    assert_eq!(whole.unwrap(), PartHeld::Whole);
    // One that this version cannot read, and one that comes too early.
    let (mut early, _) = sent("bank", "L1", 300, at + DAY_MS);
    push(desk, 2, Lane::Fault, &early.split_off(0)[..1]).await;
    let unreadable = b"\x81\xa4line\xa2L1 CANARY unreadable".to_vec();
    let put = move |tx: &mut Tx<'_>| {
        let sql = "INSERT INTO aside (agent, epoch, lane, number, hash, reason, detail, recorded_at_ms, bytes) \
             SELECT id, 9, 'fault', 9, $1, 'unreadable', 'CANARY detail', 0, $2 FROM agent WHERE name = 'site-1'";
        tx.execute(sql, &[[9_u8; 32].into(), unreadable.clone().into()])
    };
    let put: Result<u64, DbError> = desk.app.db.write(Priority::Api, put).await;
    assert_eq!(put.unwrap(), 1);

    let fault = report(desk, "L1", "CANARY reporter").await;
    let steps = format!("/faults/{}/facts", fault["id"].as_str().unwrap());
    let until = (at + HOUR_MS).to_rfc3339();
    let paused = json!({ "kind": "paused", "cause": "customer_access", "reason": words("reason"), "until": until,
        "evidence": words("evidence") });
    post(desk, &steps, paused).await;
    post(desk, &steps, json!({ "kind": "note", "text": words("note") })).await;
    post(desk, &steps, json!({ "kind": "restored" })).await;
    post(desk, &steps, json!({ "kind": "reopened", "reason": words("again"), "case": "failed_again" })).await;
    // A mail with what was done so far.
    desk.clock.advance(DAY_MS);
    let (inner, now) = (with_mail(desk), desk.app.now());
    desk.app.db.write(Priority::Engine, move |tx| engine::round(&inner, tx, now)).await.unwrap();
    let mails = "SELECT COUNT(*) FROM outbox WHERE alert LIKE '%CANARY%'";
    assert!(int(&desk.app.db, mails).await.unwrap() > 0);
    say_matters(desk).await;
    post(desk, "/customers/bank/risks", json!({ "reason": words("risk") })).await;
    say_plan(desk).await;
    let site = json!({ "customer": "bank", "name": "HQ", "access_contact": "CANARY gate",
        "access_phone": "CANARY 010-88885678" });
    post(desk, "/sites", site).await;
    let handover = format!("call CANARY contact of the bank back on {}, watch L2", "CANARY 010-88881234");
    post(desk, "/handovers", json!({ "words": handover })).await;
}

/// A plan of the year, with a measure.
async fn say_plan(desk: &TestDesk) {
    let (id, now) = (uuid::Uuid::from_u128(77), desk.app.now());
    let plan = plans::Plan {
        id,
        customer: "bank".to_owned(),
        year: 2026,
        state: "proposed".to_owned(),
        goals: words("goals"),
        review_at: None,
        written: ("manager".to_owned(), now),
        approved: None,
    };
    let (what, owner) = (words("measure"), "Manager A".to_owned());
    let measure = plans::Measure { n: 1, what, by: now + DAY_MS, owner, opens_at: None, matter: None };
    let save = move |tx: &mut Tx<'_>| {
        plans::save(tx, &plan)?;
        plans::save_measures(tx, id, std::slice::from_ref(&measure))
    };
    desk.app.db.write(Priority::Api, save).await.unwrap();
}

async fn say_matters(desk: &TestDesk) {
    let complaint = json!({ "kind": "complaint", "class": "minor", "customer": "bank", "title": words("title"),
        "description": words("matter"), "reporter": words("asker") });
    let key = axum::http::Request::post("/api/v1/matters")
        .header("authorization", format!("Bearer {}", desk.token(Role::Noc)))
        .header("content-type", "application/json")
        .header("idempotency-key", "once")
        .body(axum::body::Body::from(complaint.to_string()));
    let opened = desk.send(key.unwrap()).await;
    assert_eq!(opened.status, 201, "{}", opened.text);
    let steps = format!("/matters/{}/facts", opened.json["id"].as_str().unwrap());
    post(desk, &steps, json!({ "kind": "note", "text": words("word") })).await;
    post(desk, &steps, json!({ "kind": "resolved", "text": words("how") })).await;
    post(desk, &steps, json!({ "kind": "signed", "name": words("signature") })).await;
}

async fn everything(db: &Db) -> Vec<(String, String)> {
    let tables = match db.backend() {
        "sqlite" => "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
        _ => {
            "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"
        }
    };
    let read = move |tx: &mut Tx<'_>| {
        let mut all = Vec::new();
        for row in tx.query(tables, &[])? {
            let table: String = row.get(0)?;
            for row in tx.query(&format!("SELECT * FROM {table}"), &[])? {
                for at in 0..row.len() {
                    let text = match row.get::<crate::db::Value>(at)? {
                        crate::db::Value::Text(text) => text,
                        crate::db::Value::Blob(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                        _ => continue,
                    };
                    all.push((table.clone(), text));
                }
            }
        }
        Ok::<_, DbError>(all)
    };
    db.read(read).await.unwrap()
}

async fn canaries(db: &Db) -> Vec<(String, String)> {
    let all = everything(db).await;
    assert!(all.len() > 100, "the scan reads the database");
    all.into_iter().filter(|(_, text)| text.contains("CANARY")).collect()
}

async fn reports(desk: &TestDesk) -> Vec<String> {
    let mut all = Vec::new();
    for path in ["month/2026-09", "quarter/2026-Q3"] {
        for form in ["json", "csv&group=customer", "csv&group=line", "xlsx", "pdf"] {
            let answer = get(desk, &format!("/reports/{path}?format={form}")).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            all.push(answer.text);
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn erasure_takes_every_word_and_no_figure() {
    both(|db| async move {
        let desk = desk(db).await;
        say_everything(&desk).await;
        let tables: std::collections::BTreeSet<String> =
            canaries(&desk.app.db).await.into_iter().map(|(table, _)| table).collect();
        let expected = [
            "aside",
            "conflict",
            "customer",
            "customer_plan",
            "fact",
            "fault",
            "handover",
            "idempotency",
            "matter",
            "matter_fact",
            "outbox",
            "part_chunk",
            "plan_measure",
            "record",
            "risk",
            "site",
            "visit_part",
        ];
        assert_eq!(tables.iter().map(String::as_str).collect::<Vec<_>>(), expected);

        let asked = json!({ "reason": "asked for in writing" });
        let refused = call(&desk, Method::POST, "/customers/bank/erasure", asked.clone()).await;
        assert_eq!((refused.status.as_u16(), refused.json["code"].as_str()), (409, Some("step_impossible")));
        assert_eq!(end(&desk, "/customers/bank", Some(desk.app.now())).await.status, 200);
        desk.clock.advance(60 * DAY_MS);
        let before = reports(&desk).await;
        let dry = json!({ "reason": "asked for", "dry_run": true });
        let dry = post(&desk, "/customers/bank/erasure", dry).await;
        assert!(!canaries(&desk.app.db).await.is_empty(), "a dry run changes nothing");

        let done = post(&desk, "/customers/bank/erasure", asked.clone()).await;
        assert_eq!(done["counts"], dry["counts"], "the dry run told the truth");
        assert_ne!(done["finished_at"], Value::Null);
        assert_eq!(canaries(&desk.app.db).await, []);
        let places = "SELECT COUNT(*) FROM visit_part WHERE latitude IS NOT NULL OR longitude IS NOT NULL";
        assert_eq!(int(&desk.app.db, places).await.unwrap(), 0);
        assert_eq!(reports(&desk).await, before, "figures stay to the byte");
        let handover = get(&desk, "/handovers").await.json["items"][0]["words"].clone();
        assert_eq!(handover, "call [erased] of the bank back on [erased], watch L2");
        let audited = "SELECT COUNT(*) FROM audit WHERE subject = 'customer bank' AND who = 'admin' \
             AND action IN ('erasure begun', 'erased')";
        assert_eq!(int(&desk.app.db, audited).await.unwrap(), 2);

        come_again(&desk).await;
        let again = post(&desk, "/customers/bank/erasure", asked).await;
        assert_eq!(again["counts"], json!({}), "nothing was left");
        assert_eq!(get(&desk, "/erasures").await.json["items"].as_array().unwrap().len(), 2);
        // The other customer's people are as they were.
        let mill = get(&desk, "/customers?q=mill").await.json["items"][0].clone();
        assert_eq!((&mill["contact_name"], &mill["erased_at"]), (&json!("Miller"), &Value::Null));
    })
    .await;
}

/// The same facts, pushed anew by a restored agent, and one that is new.
async fn come_again(desk: &TestDesk) {
    let count = "SELECT COUNT(*) FROM record";
    let records = int(&desk.app.db, count).await.unwrap();
    let at = START - HOUR_MS;
    let (mut faults, visit) = sent("bank", "L1", 100, at);
    push(desk, 3, Lane::Desk, &[visit]).await;
    push(desk, 3, Lane::Fault, &faults).await;
    assert_eq!(int(&desk.app.db, count).await.unwrap(), records, "known again by their hashes");
    let other_bytes = "SELECT COUNT(*) FROM aside WHERE reason = 'other_bytes'";
    assert_eq!(int(&desk.app.db, other_bytes).await.unwrap(), 0);
    let (late, _) = sent("bank", "L1", 500, at + MINUTE_MS);
    faults.extend(late);
    push(desk, 4, Lane::Fault, &faults).await;
    assert_eq!(int(&desk.app.db, count).await.unwrap(), records + 2, "the late ones are kept");
    assert_eq!(canaries(&desk.app.db).await, [], "and say nothing of people");
    // What came too early is taken in once it is due, under the hash of what was sent.
    let (inner, now) = (desk.app.desk.clone(), desk.app.now());
    let due = move |tx: &mut Tx<'_>| crate::app::desk::ingest::take_due(&inner, tx, now);
    assert_eq!(desk.app.db.write(Priority::Ingest, due).await.unwrap(), 1);
    let (early, _) = sent("bank", "L1", 300, START + DAY_MS);
    push(desk, 5, Lane::Fault, &early[..1]).await;
    assert_eq!(int(&desk.app.db, other_bytes).await.unwrap(), 0);
    assert_eq!(canaries(&desk.app.db).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_was_cut_short_is_taken_up_again_and_the_retention_asks_by_itself() {
    both(|db| async move {
        let desk = desk(db).await;
        report(&desk, "L1", "CANARY reporter").await;
        assert_eq!(end(&desk, "/customers/bank", Some(START)).await.status, 200);
        let round = |after_ms, now| erasure::come_round(&desk.app.db, after_ms, now);
        assert_eq!(
            round(None, START + 90 * DAY_MS).await.unwrap(),
            0,
            "not by itself unless it is configured"
        );
        assert_eq!(round(Some(30 * DAY_MS), START + 29 * DAY_MS).await.unwrap(), 0);
        let now = START + 31 * DAY_MS;
        let begun = |tx: &mut Tx<'_>| {
            let new = crate::store::erasure::Erasure {
                id: Uuid::from_u128(1),
                customer: "bank".to_owned(),
                reason: "asked for".to_owned(),
                by: "admin".to_owned(),
                begun_at: START + DAY_MS,
                finished_at: None,
                counts: None,
            };
            erasure::begin(tx, &new, START + DAY_MS)
        };
        desk.app.db.write(Priority::Api, begun).await.unwrap();
        assert!(!canaries(&desk.app.db).await.is_empty());
        assert_eq!(round(Some(30 * DAY_MS), now).await.unwrap(), 1);
        assert_eq!(canaries(&desk.app.db).await, []);
        assert_eq!(end(&desk, "/customers/mill", Some(START)).await.status, 200);
        assert_eq!(round(Some(30 * DAY_MS), now).await.unwrap(), 1);
        assert_eq!(round(Some(30 * DAY_MS), now).await.unwrap(), 0, "once");
        let by_rule = "SELECT COUNT(*) FROM erasure WHERE by_whom = 'rule' AND finished_at_ms IS NOT NULL";
        assert_eq!(int(&desk.app.db, by_rule).await.unwrap(), 1);
    })
    .await;
}
