//! Who may sign in on an agent, and what agents of each level are told, on both databases.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use linewatch_shared::facts::Reading;
use linewatch_shared::time::MonoMs;
use linewatch_shared::wire::{self, Cursor, Hello, HelloAnswer, LEVEL, PROTOCOL, Pull, PullPage, Reference};
use serde_json::{Value, json};
use uuid::Uuid;

use super::testing::{START, TestDesk};
use crate::app::{import, users};
use crate::auth::Role;
use crate::db::Db;
use crate::db::testing::both;

const CUSTOMERS: &str =
    "code,name,tier,pack\nbank,Sample Bank,AAA,group-line\nkey,Sample Key,gold,key-account\n";
const LINES: &str = "code,customer,site,agent\nL1,bank,HQ,site-1\nK1,key,HQ,site-2\n";
const PASSWORD: &str = "long enough now";

async fn desk(db: Db) -> TestDesk {
    let desk = TestDesk::new(db).await;
    for file in [CUSTOMERS, LINES] {
        let packs = Arc::clone(&desk.app.packs);
        import::bytes(&desk.app.db, &packs, file.as_bytes(), false, START).await.unwrap();
    }
    for agent in ["site-1", "site-2"] {
        desk.enrol(agent).await;
    }
    for name in ["tech-1", "tech-2"] {
        users::add(&desk.app.db, name, Role::Technician, PASSWORD, START).await.unwrap();
    }
    desk
}

async fn put(desk: &TestDesk, agent: &str, people: Value) -> super::testing::TestAnswer {
    let path = format!("/api/v1/agents/{agent}/people");
    desk.call(Some(Role::Admin), Method::PUT, &path, Some(json!({ "people": people }))).await
}

async fn pull(desk: &TestDesk, agent: &str, level: u16, cursor: Option<Cursor>) -> PullPage {
    desk.told(agent, "/sync/v1/pull", &Pull { cursor, level }).await
}

fn people(page: &PullPage) -> Vec<wire::Person> {
    let person = |row: &Reference| match row {
        Reference::Person(person) => Some(person.clone()),
        _ => None,
    };
    page.rows.iter().filter_map(person).collect()
}

fn packs(page: &PullPage) -> Vec<&str> {
    let pack = |row: &'_ Reference| match row {
        Reference::Pack(pack) => Some(pack.name.clone()),
        _ => None,
    };
    let names: Vec<String> = page.rows.iter().filter_map(pack).collect();
    ["group-line", "field-work", "service-desk"]
        .into_iter()
        .filter(|name| names.iter().any(|known| known == name))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_told_who_may_sign_in_and_of_every_change() {
    both(|db| async move {
        let desk = desk(db).await;
        let first = pull(&desk, "site-1", LEVEL, None).await;
        assert!(first.fresh && people(&first).is_empty());
        assert!(!pull(&desk, "site-1", LEVEL, Some(first.cursor.clone())).await.fresh, "nothing new");

        let answer = put(&desk, "site-1", json!(["tech-1", "tech-2", "tech-1"])).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert_eq!(
            answer.json["items"][0],
            json!({ "name": "tech-1", "role": "technician", "enabled": true })
        );
        let mut page = pull(&desk, "site-1", LEVEL, Some(first.cursor)).await;
        assert!(page.fresh);
        let told = people(&page);
        assert_eq!(told.len(), 2);
        assert_eq!((told[0].name.as_str(), told[0].role.as_str()), ("tech-1", "technician"));
        assert!(told[0].salted.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", told[0].salted);
        assert!(people(&pull(&desk, "site-2", LEVEL, None).await).is_empty(), "on that agent only");

        // Said again it changes nothing, and nobody pulls for it.
        put(&desk, "site-1", json!(["tech-1", "tech-2"])).await;
        assert!(!pull(&desk, "site-1", LEVEL, Some(page.cursor.clone())).await.fresh);

        let (db, now) = (&desk.app.db, desk.app.now());
        let before = people(&page)[0].clone();
        users::reset(db, "tech-1", "another password", users::COMMAND, now).await.unwrap();
        page = pull(&desk, "site-1", LEVEL, Some(page.cursor)).await;
        assert!(people(&page)[0].check != before.check && people(&page)[0].salted != before.salted);
        users::give_role(db, "tech-1", Role::Noc, users::COMMAND, now).await.unwrap();
        page = pull(&desk, "site-1", LEVEL, Some(page.cursor)).await;
        assert_eq!(people(&page)[0].role, "noc");
        users::disable(db, "tech-1", users::COMMAND, now).await.unwrap();
        page = pull(&desk, "site-1", LEVEL, Some(page.cursor)).await;
        assert_eq!(people(&page).iter().map(|person| person.name.as_str()).collect::<Vec<_>>(), ["tech-2"]);
        let path = "/api/v1/agents/site-1/people";
        let listed = desk.call(Some(Role::Admin), Method::GET, path, None).await.json;
        assert_eq!(listed["items"][0]["enabled"], false);
        put(&desk, "site-1", json!([])).await;
        page = pull(&desk, "site-1", LEVEL, Some(page.cursor)).await;
        assert!(page.fresh && people(&page).is_empty());

        let trail = desk.call(Some(Role::Admin), Method::GET, "/api/v1/audit?subject=site-1", None).await;
        let changes = trail.text.matches("people of agent changed").count();
        assert_eq!(changes, 2, "{}", trail.text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_change_changes_nobody() {
    both(|db| async move {
        let desk = desk(db).await;
        put(&desk, "site-1", json!(["tech-1"])).await;
        let none = put(&desk, "site-9", json!(["tech-1"])).await;
        assert_eq!((none.status, none.json["code"].as_str()), (StatusCode::NOT_FOUND, Some("unknown")));
        let unknown = put(&desk, "site-1", json!(["tech-2", "nobody"])).await;
        assert_eq!((unknown.status, unknown.json["code"].as_str()), (StatusCode::NOT_FOUND, Some("unknown")));
        let odd = put(&desk, "site-1", json!(["a\u{0}b"])).await;
        assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", odd.text);
        let path = "/api/v1/agents/site-1/people";
        let listed = desk.call(Some(Role::Admin), Method::GET, path, None).await.json;
        assert_eq!(listed["items"], json!([{ "name": "tech-1", "role": "technician", "enabled": true }]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_of_level_0_gets_what_it_always_got_and_all_once_it_has_risen() {
    both(|db| async move {
        let desk = desk(db).await;
        put(&desk, "site-1", json!(["tech-1"])).await;
        // As an old program writes it: without the field.
        let bytes = wire::encode(&json!({ "cursor": null })).unwrap();
        assert_eq!(wire::decode::<Pull>(&bytes).unwrap().level, 0);
        let old: PullPage = desk.told("site-1", "/sync/v1/pull", &json!({ "cursor": null })).await;
        let kinds = |page: &PullPage| {
            let kind = |row: &Reference| match row {
                Reference::Line(line) => format!("line {}", line.code),
                Reference::Customer(customer) => format!("customer {}", customer.code),
                Reference::Pack(pack) => format!("pack {}", pack.name),
                Reference::Person(person) => format!("person {}", person.name),
            };
            page.rows.iter().map(kind).collect::<Vec<_>>()
        };
        assert_eq!(kinds(&old), ["line L1", "customer bank", "pack group-line"]);
        assert!(
            !pull(&desk, "site-1", 0, Some(old.cursor.clone())).await.fresh,
            "nothing has changed for it"
        );
        let risen = pull(&desk, "site-1", LEVEL, Some(old.cursor)).await;
        assert!(risen.fresh, "nothing changed, but it understands more");
        assert_eq!(
            (people(&risen).len(), packs(&risen)),
            (1, vec!["group-line", "field-work", "service-desk"])
        );
        // An agent of a level to come is given what this one has.
        let beyond = pull(&desk, "site-1", LEVEL + 1, Some(risen.cursor)).await;
        assert!(!beyond.fresh);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hello_says_the_level_and_a_key_that_stays() {
    both(|db| async move {
        let desk = desk(db).await;
        let hello = Hello {
            protocol_min: PROTOCOL,
            protocol_max: PROTOCOL,
            version: "test".to_owned(),
            device: Reading { wall: START, mono: MonoMs(1) },
            boot: Uuid::nil(),
            epoch: 1,
            heads: Vec::new(),
            level: 0,
            trusts: Vec::new(),
        };
        let first: HelloAnswer = desk.told("site-1", "/sync/v1/hello", &hello).await;
        let other: HelloAnswer = desk.told("site-2", "/sync/v1/hello", &hello).await;
        assert_eq!(first.level, LEVEL);
        assert!(first.carry_key.is_some() && first.carry_key == other.carry_key, "one for all agents");
    })
    .await;
}
