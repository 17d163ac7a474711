//! A desk with two sides that have nothing in common, for the walk over all routes (`scope_tests`). Every text of the one side
//! holds a word by which it is found wherever it comes out.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use linewatch_shared::facts::{
    Body as FactBody, Diagnosis, Finding, Grade, Media, Part, PartRole, Reading, Record, Visit, When,
};
use linewatch_shared::time::{DAY_MS, HOUR_MS, MINUTE_MS, MonoMs};
use linewatch_shared::wire::{Chunk, ChunkAnswer, Hash, record_hash};
use serde_json::{Value, json};
use uuid::Uuid;

use super::part_tests::photo;
use super::testing::{START, TestAnswer, TestDesk};
use crate::app::alerting::climb;
use crate::app::desk::engine;
use crate::app::{agent_people, import, scopes, users};
use crate::auth::Role;
use crate::db::{Db, DbError, Priority, Tx};
use crate::store::scope::Given;

/// What every text of the other side holds.
pub(super) const CANARY: &str = "zulu";
/// What it holds where only digits fit.
pub(super) const CANARY_PHONE: &str = "010-5559999";

const SETTINGS: &str = "[auth]\nscope = 'own'\n[smtp]\nhost = \"127.0.0.1\"\nfrom = \"desk@example.com\"\n\
     [desk]\nadmission = true\nnoc_email = \"noc@example.com\"\n";
const CUSTOMERS: &str = "code,name,tier,pack,region,manager,manager_email,deputy,deputy_email,contact_name,\
     contact_phone,contractor\n\
     alpha,Alpha Works,AAA,group-line,north,ann,ann@example.com,,,Alpha Contact,010-5550100,K1\n\
     zulu,Zulu Works,AAA,group-line,zulu-land,zulu-ann,zulu@example.com,zulu-deputy,zulu2@example.com,Zulu Contact,\
     010-5559999,K2\n\
     zulu-key,Zulu Key,gold,key-account,zulu-land,zulu-ann,zulu@example.com,,,Zulu Contact,,K2\n\
     zulu-gov,Zulu Gov,local-A,gov-enterprise,zulu-land,zulu-ann,zulu@example.com,,,Zulu Contact,,K2\n\
     zulu-power,Zulu Power,standard,power-distribution,zulu-land,zulu-ann,zulu@example.com,,,Zulu Contact,,K2\n";
const LINES: &str = "code,customer,site,service,agent,upstream,in_service\n\
     alpha-1,alpha,Hall,mpls,laptop-a,node-a,2026-01-01\n\
     zulu-1,zulu,Zulu Hall,mpls,zulu-agent,zulu-node,2026-01-01\n\
     zulu-2,zulu-gov,Zulu Gate,sdh,zulu-agent,,2026-01-01\n\
     zulu-3,zulu-power,Zulu Room,,zulu-agent,,2026-01-01\n";
const SITES: &str = "customer,name,access_contact,access_phone\nalpha,Hall,Alpha Guard,010-5550111\n\
     zulu,Zulu Hall,Zulu Guard,010-5559999\nzulu-power,Zulu Room,Zulu Guard,010-5559999\n\
     zulu-gov,Zulu Gate,Zulu Guard,010-5559999\n";

/// Who calls, each from this side: by what they see it.
pub(super) const CALLERS: [&str; 4] = ["ann", "tom", "nell", "k1-tech"];
/// The other side's account manager.
pub(super) const OTHER: &str = "zulu-ann";

/// The desk, with what there is of the other side.
pub(super) struct Walk {
    pub(super) desk: TestDesk,
    tokens: BTreeMap<&'static str, String>,
    /// Ids of the other side's things.
    pub(super) ids: BTreeMap<&'static str, String>,
}

impl Walk {
    pub(super) async fn new(db: Db) -> Self {
        let desk = TestDesk::with(db, "http://desk.test", SETTINGS).await;
        for code in ["K1", "K2"] {
            let name = if code == "K2" { "Zulu Maintenance" } else { "Alpha Maintenance" };
            let body = json!({ "code": code, "name": name, "contract_from": "2024-01-01", "pack": "power-distribution",
                "contact_name": name, "contact_phone": "010-5559999" });
            must(desk.call(Some(Role::Admin), Method::POST, "/api/v1/contractors", Some(body)).await);
        }
        for file in [CUSTOMERS, LINES, SITES] {
            let packs = Arc::clone(&desk.app.packs);
            let long_ago = START - 400 * DAY_MS;
            import::bytes(&desk.app.db, &packs, file.as_bytes(), false, long_ago).await.unwrap();
        }
        for agent in ["laptop-a", "zulu-agent"] {
            desk.enrol(agent).await;
        }
        let mut walk = Self { desk, tokens: BTreeMap::new(), ids: BTreeMap::new() };
        walk.people().await;
        walk.fill().await;
        walk
    }

    async fn people(&mut self) {
        let db = &self.desk.app.db;
        let users = [
            ("ann", Role::Manager, None),
            (OTHER, Role::Manager, None),
            ("tom", Role::Technician, None),
            ("nell", Role::Noc, None),
            ("k1-tech", Role::Technician, Some("K1")),
        ];
        for (name, role, contractor) in users {
            let of = (role, contractor.map(str::to_owned));
            users::add_of(db, name, of, "long enough to pass", (users::COMMAND, START)).await.unwrap();
            let token = users::token(db, name, users::COMMAND, START).await.unwrap();
            self.tokens.insert(name, token);
        }
        let change = agent_people::PeopleChange::By { add: vec!["tom".to_owned()], remove: Vec::new() };
        agent_people::change(db, "laptop-a", change, users::COMMAND, START).await.unwrap();
        let north = Given { regions: ["north".to_owned()].into(), ..Given::default() };
        scopes::give(db, "nell", north, users::COMMAND, START).await.unwrap();
    }

    /// Calls with a user's token.
    pub(super) async fn call(
        &self,
        user: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> TestAnswer {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("authorization", format!("Bearer {}", self.tokens[user]))
            .header("content-type", "application/json");
        let body = body.map_or_else(Body::empty, |json| Body::from(json.to_string()));
        self.desk.send(request.body(body).unwrap()).await
    }

    /// The same of a write under an `Idempotency-Key`.
    pub(super) async fn keyed(&self, user: &str, path: &str, key: &str, body: &Value) -> TestAnswer {
        let request = Request::post(format!("/api/v1{path}"))
            .header("authorization", format!("Bearer {}", self.tokens[user]))
            .header("content-type", "application/json")
            .header("idempotency-key", key);
        self.desk.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub(super) async fn admin(&self, method: Method, path: &str, body: Option<Value>) -> TestAnswer {
        self.desk.call(Some(Role::Admin), method, &format!("/api/v1{path}"), body).await
    }

    async fn made(&mut self, what: &'static str, method: Method, path: &str, body: Value) -> Value {
        let answer = must(self.admin(method, path, Some(body)).await);
        if let Some(id) = answer.json["id"].as_str() {
            self.ids.insert(what, id.to_owned());
        }
        answer.json
    }

    /// Everything that there can be of a customer, of the other side.
    async fn fill(&mut self) {
        let fault = json!({ "line": "zulu-1", "channel": "hotline", "reporter": "zulu caller", "description": "zulu is down" });
        self.made("fault", Method::POST, "/faults", fault).await;
        let own = json!({ "line": "alpha-1", "channel": "hotline", "reporter": "alpha caller", "description": "down" });
        self.made("own fault", Method::POST, "/faults", own).await;
        let matter = json!({ "kind": "request", "class": "ordinary", "customer": "zulu", "title": "zulu request",
            "description": "zulu wants", "reporter": "zulu person", "pack": "service-desk" });
        self.made("matter", Method::POST, "/matters", matter).await;
        let sites = must(self.admin(Method::GET, "/sites?customer=zulu", None).await).json;
        self.ids.insert("site", sites["items"][0]["id"].as_str().unwrap().to_owned());
        let rooms = must(self.admin(Method::GET, "/sites?customer=zulu-power", None).await).json;
        let room = rooms["items"][0]["id"].as_str().unwrap().to_owned();
        let piece = json!({ "label": "zulu T1", "kind": "transformer", "condition": "class-1" });
        self.made("equipment", Method::POST, &format!("/sites/{room}/equipment"), piece).await;
        let gates = must(self.admin(Method::GET, "/sites?customer=zulu-gov", None).await).json;
        self.ids.insert("room", room);
        self.ids.insert("gate", gates["items"][0]["id"].as_str().unwrap().to_owned());
        let (from, to) = ((START + 3 * DAY_MS).to_rfc3339(), (START + 3 * DAY_MS + HOUR_MS).to_rfc3339());
        let work = json!({ "reason": "zulu cut-over", "lines": ["zulu-1"], "from": from, "to": to });
        self.made("work", Method::POST, "/planned-work", work).await;
        let duty = json!({ "pack": "power-distribution", "cadence": "seasonal", "customer": "zulu-power", "site": "Zulu Room" });
        self.made("duty", Method::POST, "/duties", duty).await;
        let plan = json!({ "goals": "keep zulu",
            "measures": [{ "what": "zulu visit", "by": (START + 30 * DAY_MS).to_rfc3339() }] });
        self.made("plan", Method::PUT, "/customers/zulu-key/plans/2026", plan).await;
        self.made("risk", Method::POST, "/customers/zulu/risks", json!({ "reason": "zulu may leave" })).await;
        let scores = json!({ "customer": "zulu-key", "scores": { "revenue": 30, "growth": 10, "payment": 10,
            "duration": 5, "prospects": 10 } });
        self.made("proposal", Method::POST, "/grade-proposals", scores).await;
        let question = json!({ "zh": "服务如何", "en": "How are we" });
        let survey = json!({ "title": "yearly", "questions": [question],
            "closes_at": (START + 60 * DAY_MS).to_rfc3339() });
        self.made("survey", Method::POST, "/surveys", survey).await;
        let path = format!("/surveys/{}/invites", self.ids["survey"]);
        let asked = json!({ "customers": ["alpha", "zulu"] });
        must(self.admin(Method::POST, &path, Some(asked)).await);
        let new = json!({ "code": "zulu-new", "name": "Zulu New", "tier": "AAA", "manager": "zulu-ann" });
        must(self.call(OTHER, Method::POST, "/customers", Some(new)).await);
        self.records().await;
        self.desk.clock.advance(2 * HOUR_MS + MINUTE_MS);
        self.alerts().await;
    }

    /// What the other side's laptop sends: a visit with a photo that no round was owed for, and a diagnosis.
    async fn records(&mut self) {
        let photo = photo(2_000, 7);
        let part = Part {
            role: PartRole::Photo,
            media: Media::Jpeg,
            sha256: record_hash(&photo),
            bytes: photo.len() as u64,
            caption: "zulu rack".to_owned(),
            taken_at: None,
            place: None,
        };
        let visit = Visit {
            customer: "zulu-gov".to_owned(),
            purpose: "zulu visit".to_owned(),
            findings: "zulu findings".to_owned(),
            parts: vec![part],
            ..Visit::default()
        };
        let finding = Finding {
            check: "link".to_owned(),
            grade: Grade::Fail,
            code: "no_carrier".to_owned(),
            figures: vec![("port".to_owned(), "zulu port".to_owned())],
        };
        let diagnosis = Diagnosis { line: "zulu-1".to_owned(), fault: None, findings: vec![finding] };
        let records = [record(1, FactBody::Visit(visit)), record(2, FactBody::Diagnosis(diagnosis))];
        assert_eq!(self.desk.push("zulu-agent", &records).await, 0);
        let chunk = Chunk { part: record_hash(&photo), at: 0, bytes: photo.clone() };
        self.desk.told::<ChunkAnswer>("zulu-agent", "/sync/v1/chunk", &chunk).await;
        let Hash(hash) = record_hash(&photo);
        self.ids.insert("part", hex::encode(hash));
        self.ids.insert("visit", Uuid::from_u128(1).to_string());
        let conflicts = must(self.admin(Method::GET, "/conflicts", None).await).json;
        self.ids.insert("conflict", conflicts["items"][0]["id"].as_str().unwrap().to_owned());
    }

    /// A promise of the other side is missed, and nobody has taken the alert.
    async fn alerts(&mut self) {
        let (inner, now) = (self.desk.app.desk.clone(), self.desk.app.now());
        let work = move |tx: &mut Tx<'_>| {
            engine::round(&inner, tx, now)?;
            climb::round(&inner, tx, now)
        };
        self.desk.app.db.write(Priority::Engine, work).await.unwrap();
        let path = format!("/alerts?fault={}", self.ids["fault"]);
        let open = must(self.admin(Method::GET, &path, None).await).json;
        let key = open["items"][0]["key"].as_str().unwrap_or_else(|| panic!("{open}"));
        self.ids.insert("alert", key.replace('/', "%2F"));
    }

    /// Every row that holds the word of the other side, whatever its table; what is written down about calls themselves
    /// is left out.
    pub(super) async fn rows(&self) -> BTreeMap<String, Vec<String>> {
        let mut found = BTreeMap::new();
        for table in tables() {
            let sql = format!("SELECT * FROM {table}");
            let rows: Result<Vec<String>, DbError> =
                self.desk.app.db.read(move |tx| Ok(tx.query(&sql, &[])?.iter().map(text_of).collect())).await;
            let mut rows = rows.unwrap();
            rows.retain(|row| row.to_lowercase().contains(CANARY));
            rows.sort();
            found.insert(table, rows);
        }
        found
    }
}

fn text_of(row: &crate::db::Row) -> String {
    let cell = |at| match row.get(at).unwrap() {
        crate::db::Value::Text(text) => text,
        crate::db::Value::Blob(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        other => format!("{other:?}"),
    };
    (0..row.len()).map(cell).collect::<Vec<String>>().join("|")
}

/// What calls leave behind that change nothing: who asked, and what was answered.
const OF_CALLS: [&str; 4] = ["audit", "idempotency", "session", "api_token"];

/// The tables, as the migrations make them.
fn tables() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let mut tables: Vec<String> = Vec::new();
    for file in files {
        for line in std::fs::read_to_string(file).unwrap().lines() {
            if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
                let name = rest.trim_start_matches("IF NOT EXISTS ").split([' ', '(']).next().unwrap();
                tables.push(name.to_owned());
            }
            if let Some(rest) = line.strip_prefix("DROP TABLE ") {
                let name = rest.trim_end_matches(';').trim();
                tables.retain(|table| table != name);
            }
        }
    }
    tables.sort();
    tables.dedup();
    tables.retain(|table| !OF_CALLS.iter().any(|of_calls| table.starts_with(of_calls)));
    tables
}

fn record(id: u128, body: FactBody) -> Record {
    let written = Reading { wall: START, mono: MonoMs(1) };
    let by = Some("zulu-tech".to_owned());
    Record { id: Uuid::from_u128(id), boot: Uuid::nil(), written, occurred: When::Typed(START), by, body }
}

pub(super) fn must(answer: TestAnswer) -> TestAnswer {
    assert!(
        matches!(answer.status, StatusCode::OK | StatusCode::CREATED | StatusCode::NO_CONTENT),
        "{}",
        answer.text
    );
    answer
}
