//! An agent of which there are two, on both databases: noticed, alone, and released by a person.

use axum::http::Method;
use linewatch_shared::facts::{Body, Lane, Reading, Record, When};
use linewatch_shared::health::Health;
use linewatch_shared::time::{MonoMs, SECOND_MS};
use linewatch_shared::wire::{
    self, Batch, Chain, Envelope, Generation, Heartbeat, Hello, HelloAnswer, LEVEL, PROTOCOL, Pull,
    PushAnswer, Tasks, TasksAnswer,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use super::testing::{START, TestAnswer, TestDesk};
use crate::auth::Role;
use crate::db::testing::{both, int};
use crate::db::{Priority, Tx};

fn reading() -> Reading {
    Reading { wall: START, mono: MonoMs(1) }
}

pub(super) fn beat() -> Heartbeat {
    Heartbeat { device: reading(), boot: Uuid::nil(), epoch: 1, heads: Vec::new() }
}

pub(super) fn hello(level: u16) -> Hello {
    Hello {
        protocol_min: PROTOCOL,
        protocol_max: PROTOCOL,
        version: "1".into(),
        device: reading(),
        boot: Uuid::nil(),
        epoch: 1,
        heads: Vec::new(),
        level,
        trusts: Vec::new(),
    }
}

fn read<T: DeserializeOwned>(answer: &TestAnswer) -> T {
    assert_eq!(answer.status, 200, "{}", answer.text);
    wire::decode(&answer.bytes).unwrap()
}

struct Laptop<'a> {
    desk: &'a TestDesk,
    newest: Option<Generation>,
}

impl Laptop<'_> {
    async fn say(&self, path: &str, message: &impl serde::Serialize) -> TestAnswer {
        let body = wire::encode(message).unwrap();
        self.desk.post_showing("site-1", path, body, self.newest.as_ref()).await
    }

    /// What the server hands out next.
    async fn hello(&self) -> HelloAnswer {
        read(&self.say("/sync/v1/hello", &hello(LEVEL)).await)
    }

    async fn beat(&self) {
        assert_eq!(self.say("/sync/v1/heartbeat", &beat()).await.status, 200);
    }

    /// Pushes one record in an epoch of its own; answers whether it was kept aside.
    async fn push(&self, id: u128) -> bool {
        let occurred = When::Machine(reading());
        let body = Body::Health(Health::default());
        let record = Record {
            id: Uuid::from_u128(id),
            boot: Uuid::nil(),
            written: reading(),
            occurred,
            by: None,
            body,
        };
        let lane: Lane = record.body.lane();
        let bodies = vec![record.to_bytes().unwrap()];
        let envelope =
            Envelope { protocol: PROTOCOL, epoch: id as u64, lane, first: 1, chain: Chain::START, count: 1 };
        let packed = Batch { envelope, bodies }.pack().unwrap();
        let answer = self.desk.post_showing("site-1", "/sync/v1/push", packed, self.newest.as_ref()).await;
        read::<PushAnswer>(&answer).set_aside == 1
    }
}

async fn state(desk: &TestDesk, name: &str) -> (String, i64) {
    let answer = desk.call(Some(Role::Noc), Method::GET, "/api/v1/agents", None).await;
    let items = answer.json["items"].as_array().unwrap();
    let agent = items.iter().find(|item| item["name"] == name).unwrap();
    (agent["state"].as_str().unwrap().to_owned(), agent["kept_aside"].as_i64().unwrap())
}

async fn release(desk: &TestDesk, role: Role, body: Value) -> TestAnswer {
    desk.call(Some(role), Method::POST, "/api/v1/agents/site-1/release", Some(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_agent_is_noticed_and_kept_aside_alone_until_a_person_releases_it() {
    both(|db| async move {
        let desk = TestDesk::new(db).await;
        desk.enrol("site-1").await;
        desk.enrol("site-2").await;
        let records = "SELECT COUNT(*) FROM record";

        // An older program is told of no generation, and never taken for a copy.
        let mut own = Laptop { desk: &desk, newest: None };
        let old: HelloAnswer = read(&own.say("/sync/v1/hello", &hello(0)).await);
        assert_eq!(old.generation, None);
        own.beat().await;

        // Answers get lost: the same is handed out again.
        let first = own.hello().await.generation;
        assert!(first.is_some());
        assert_eq!(own.hello().await.generation, first);
        own.newest.clone_from(&first);
        own.beat().await;
        let copy = Laptop { desk: &desk, newest: first };
        assert_eq!(own.hello().await.generation, None, "what it sent before may still be under way");
        desk.clock.advance(31 * SECOND_MS);
        own.newest = own.hello().await.generation;
        own.beat().await;
        assert!(!copy.push(1).await, "for a moment it may be another process of the same device");
        assert_eq!(copy.hello().await.generation, None, "which is handed out nothing");
        desk.clock.advance(31 * SECOND_MS);
        assert_eq!(state(&desk, "site-1").await.0, "enrolled");

        assert!(copy.push(2).await, "kept aside");
        assert!(own.push(3).await, "nobody but a person can tell which of them is right");
        assert_eq!(state(&desk, "site-1").await, ("quarantined".into(), 2));
        assert_eq!(state(&desk, "site-2").await, ("enrolled".into(), 0), "that agent alone");
        assert_eq!(int(&desk.app.db, records).await.unwrap(), 1);
        for laptop in [&own, &copy] {
            let answer = laptop.hello().await;
            assert!(answer.carry_key.is_none() && answer.generation.is_none());
            assert_eq!(answer.reference_head, 0);
            let refused = laptop.say("/sync/v1/pull", &Pull { cursor: None, level: LEVEL }).await;
            assert_eq!((refused.status.as_u16(), &refused.json["code"]), (403, &json!("quarantined")));
            let told: TasksAnswer = read(&laptop.say("/sync/v1/tasks", &Tasks { known: None }).await);
            assert!(told.work.is_none());
            let renewal = wire::Renew { csr_der: vec![1] };
            assert_eq!(laptop.say("/sync/v1/renew", &renewal).await.status, 403);
        }
        let other = desk.told::<HelloAnswer>("site-2", "/sync/v1/hello", &hello(LEVEL)).await;
        assert!(other.carry_key.is_some());

        assert_eq!(release(&desk, Role::Technician, json!({ "records": "take" })).await.status, 403);
        assert_eq!(release(&desk, Role::Admin, json!({ "records": "eat" })).await.status, 422);
        let answer = release(&desk, Role::Admin, json!({ "records": "take" })).await;
        assert_eq!((answer.status.as_u16(), &answer.json["records"]), (200, &json!(2)));
        let (inner, now) = (desk.app.desk.clone(), desk.app.now());
        let due = move |tx: &mut Tx<'_>| crate::app::desk::ingest::take_due(&inner, tx, now);
        assert_eq!(desk.app.db.write(Priority::Ingest, due).await.unwrap(), 2);
        assert_eq!(int(&desk.app.db, records).await.unwrap(), 3, "each once");
        assert_eq!(state(&desk, "site-1").await, ("enrolled".into(), 0));
        assert_eq!(
            release(&desk, Role::Admin, json!({ "records": "take" })).await.status,
            422,
            "not quarantined"
        );

        // The first to come goes on alone; the other one is noticed again, and this time thrown out.
        assert!(!own.push(4).await);
        assert!(!own.push(5).await);
        desk.clock.advance(31 * SECOND_MS);
        assert!(copy.push(6).await);
        let hidden = Laptop { desk: &desk, newest: None };
        assert!(hidden.push(7).await);
        assert_eq!(release(&desk, Role::Admin, json!({ "records": "discard" })).await.status, 200);
        assert_eq!(state(&desk, "site-1").await, ("enrolled".into(), 0));
        assert_eq!(int(&desk.app.db, records).await.unwrap(), 5);
        let discarded = "SELECT COUNT(*) FROM aside WHERE reason = 'discarded'";
        assert_eq!(int(&desk.app.db, discarded).await.unwrap(), 2, "nothing is deleted");
        let quarantined = "SELECT COUNT(*) FROM audit WHERE action = 'agent quarantined'";
        assert_eq!(int(&desk.app.db, quarantined).await.unwrap(), 2);
        let released = "SELECT COUNT(*) FROM audit WHERE action = 'agent released'";
        assert_eq!(int(&desk.app.db, released).await.unwrap(), 2);
    })
    .await;
}
