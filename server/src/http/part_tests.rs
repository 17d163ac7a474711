//! Reports with photos: what is named, what is taken, what is shown, on both databases.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use image::{ImageFormat, load_from_memory};
use linewatch_shared::facts::{
    Body, CHUNK_BYTES_MAX, FormName, Media, PARTS_MAX, Part, PartRole, Place, Reading, Record, Visit, When,
};
use linewatch_shared::rules::{Answer, AnswerValue, Reading as Measured};
use linewatch_shared::time::MonoMs;
use linewatch_shared::wire::{Chunk, ChunkAnswer, Hash, PartHeld, Parts, PartsAnswer, record_hash};
use serde_json::{Value, json};
use uuid::Uuid;

use super::testing::{START, TestAnswer, TestDesk};
use crate::app::import;
use crate::app::visits::redraw;
use crate::auth::Role;
use crate::db::Db;
use crate::db::testing::{both, int};

const CUSTOMERS: &str = "code,name,tier,manager\nbank,Sample Bank,AAA,manager\n";
const LINES: &str = "code,customer,site,agent\nL1,bank,HQ,site-1\nL2,bank,Branch,site-2\n";

pub(super) async fn desk(db: Db) -> TestDesk {
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

/// So many bytes that begin as a photo does; others for another seed.
pub(super) fn photo(bytes: usize, seed: u8) -> Vec<u8> {
    let rest = (0..bytes).map(|n| (n as u8).wrapping_mul(31).wrapping_add(seed));
    let drawn = redraw::sample(ImageFormat::Jpeg, seed);
    // A comment of one byte, so that their beginnings differ, too.
    let comment = [0xFF, 0xFE, 0, 3, seed];
    let (head, body) = drawn.split_at(2);
    [head, &comment, body].concat().into_iter().chain(rest).take(bytes).collect()
}

pub(super) fn named(bytes: &[u8]) -> Part {
    Part {
        role: PartRole::Photo,
        media: Media::Jpeg,
        sha256: record_hash(bytes),
        bytes: bytes.len() as u64,
        caption: "the rack".to_owned(),
        taken_at: None,
        place: None,
    }
}

pub(super) fn report(id: u128, visit: Visit) -> Record {
    let reading = Reading { wall: START, mono: MonoMs(1) };
    Record {
        id: Uuid::from_u128(id),
        boot: Uuid::nil(),
        written: reading,
        occurred: When::Typed(START),
        by: Some("technician-1".to_owned()),
        body: Body::Visit(Visit { customer: "bank".to_owned(), ..visit }),
    }
}

fn with_parts(id: u128, parts: Vec<Part>) -> Record {
    report(id, Visit { parts, ..Visit::default() })
}

async fn held(desk: &TestDesk, agent: &str, part: Hash) -> PartHeld {
    let answer: PartsAnswer = desk.told(agent, "/sync/v1/parts", &Parts { parts: vec![part] }).await;
    assert_eq!(answer.parts.len(), 1);
    answer.parts[0]
}

async fn chunk(desk: &TestDesk, agent: &str, part: Hash, at: u64, bytes: &[u8]) -> PartHeld {
    let chunk = Chunk { part, at, bytes: bytes.to_vec() };
    desk.told::<ChunkAnswer>(agent, "/sync/v1/chunk", &chunk).await.held
}

pub(super) async fn send(desk: &TestDesk, agent: &str, bytes: &[u8]) -> PartHeld {
    let (part, mut at, mut held) = (record_hash(bytes), 0, PartHeld::Unknown);
    for some in bytes.chunks(CHUNK_BYTES_MAX) {
        held = chunk(desk, agent, part, at, some).await;
        at += some.len() as u64;
    }
    held
}

async fn get(desk: &TestDesk, path: &str) -> TestAnswer {
    desk.call(Some(Role::Noc), Method::GET, &format!("/api/v1{path}"), None).await
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_follows_its_report_and_survives_cuts() {
    both(|db| async move {
        let desk = desk(db).await;
        let bytes = photo(CHUNK_BYTES_MAX * 2 + 100, 1);
        let part = record_hash(&bytes);
        assert_eq!(held(&desk, "site-1", part).await, PartHeld::Unknown, "nothing names it yet");
        assert_eq!(chunk(&desk, "site-1", part, 0, &bytes[..2_000]).await, PartHeld::Unknown);
        assert_eq!(int(&desk.app.db, "SELECT COUNT(*) FROM part_chunk").await.unwrap(), 0);

        assert_eq!(desk.push("site-1", &[with_parts(1, vec![named(&bytes)])]).await, 0);
        let listed = get(&desk, "/visits").await.json["items"][0].clone();
        assert_eq!(
            (&listed["complete"], &listed["parts"]),
            (&json!(false), &json!({ "total": 1, "whole": 0 }))
        );
        assert_eq!(held(&desk, "site-1", part).await, PartHeld::Upto(0));
        assert_eq!(chunk(&desk, "site-1", part, 0, &bytes[..2_000]).await, PartHeld::Upto(2_000));
        // What does not begin there changes nothing: an answer was lost, or a piece.
        assert_eq!(chunk(&desk, "site-1", part, 0, &bytes[..2_000]).await, PartHeld::Upto(2_000));
        assert_eq!(chunk(&desk, "site-1", part, 9_000, &bytes[9_000..20_000]).await, PartHeld::Upto(2_000));
        // Another agent's reports do not name it.
        assert_eq!(held(&desk, "site-2", part).await, PartHeld::Unknown);
        assert_eq!(chunk(&desk, "site-2", part, 2_000, &bytes[2_000..9_000]).await, PartHeld::Unknown);
        let next = 2_000 + CHUNK_BYTES_MAX;
        assert_eq!(
            chunk(&desk, "site-1", part, 2_000, &bytes[2_000..next]).await,
            PartHeld::Upto(next as u64)
        );
        let image = get(&desk, &format!("/visits/{}/parts/{}", id(1), hex::encode(part.0))).await;
        assert_eq!(
            (image.status, image.json["code"].as_str()),
            (StatusCode::NOT_FOUND, Some("unknown_part"))
        );
        assert_eq!(chunk(&desk, "site-1", part, next as u64, &bytes[next..]).await, PartHeld::Whole);
        assert_eq!(chunk(&desk, "site-1", part, 0, &bytes[..2_000]).await, PartHeld::Whole);

        let listed = get(&desk, "/visits").await.json["items"][0].clone();
        assert_eq!(
            (&listed["complete"], &listed["parts"]),
            (&json!(true), &json!({ "total": 1, "whole": 1 }))
        );
        let image = get(&desk, &format!("/visits/{}/parts/{}", id(1), hex::encode(part.0))).await;
        // What is shown is the picture, drawn anew, and nothing of what came behind it.
        assert!(
            image.bytes.len() < 2_000 && image.bytes != bytes[..image.bytes.len()],
            "{}",
            image.bytes.len()
        );
        let (came, shown) = (load_from_memory(&bytes).unwrap(), load_from_memory(&image.bytes).unwrap());
        assert_eq!((came.width(), came.height()), (shown.width(), shown.height()));
        for (header, value) in [
            ("content-type", "image/jpeg"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "sandbox; default-src 'none'"),
            ("cache-control", "private, max-age=3600"),
        ] {
            assert_eq!(image.headers[header], value);
        }
        assert!(image.headers["content-disposition"].to_str().unwrap().starts_with("attachment; filename="));
        let noted = "SELECT COUNT(*) FROM audit WHERE action = 'contact read' AND subject LIKE 'visit/%'";
        assert_eq!(int(&desk.app.db, noted).await.unwrap(), 1, "once for one reading");
        let told = "SELECT COUNT(*) FROM event WHERE kind = 'visit'";
        assert_eq!(int(&desk.app.db, told).await.unwrap(), 2, "that it came, and that it is complete");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_photo_of_two_reports_is_stored_once() {
    both(|db| async move {
        let desk = desk(db).await;
        let bytes = photo(5_000, 2);
        desk.push("site-1", &[with_parts(1, vec![named(&bytes)])]).await;
        desk.push("site-2", &[with_parts(2, vec![named(&bytes), named(&photo(9, 9))])]).await;
        assert_eq!(send(&desk, "site-1", &bytes).await, PartHeld::Whole);
        assert_eq!(
            held(&desk, "site-2", record_hash(&bytes)).await,
            PartHeld::Whole,
            "it need not be sent again"
        );
        assert_eq!(int(&desk.app.db, "SELECT COUNT(*) FROM part_chunk").await.unwrap(), 1);
        let items = get(&desk, "/visits").await.json["items"].clone();
        assert_eq!(
            (&items[0]["parts"], &items[0]["complete"]),
            (&json!({ "total": 2, "whole": 1 }), &json!(false))
        );
        assert_eq!(items[1]["complete"], json!(true));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_not_what_their_name_says_are_thrown_away() {
    both(|db| async move {
        let desk = desk(db).await;
        let right = photo(4_000, 3);
        let part = record_hash(&right);
        desk.push("site-1", &[with_parts(1, vec![named(&right)])]).await;
        let other = photo(4_000, 4);
        assert_eq!(chunk(&desk, "site-1", part, 0, &other).await, PartHeld::Upto(0), "another hash");
        assert_eq!(int(&desk.app.db, "SELECT COUNT(*) FROM part_chunk").await.unwrap(), 0);
        let script = b"<svg onload=alert(1)>".repeat(200);
        assert_eq!(chunk(&desk, "site-1", part, 0, &script[..4_000]).await, PartHeld::Upto(0), "no photo");
        // Two failures are forgiven.
        assert_eq!(chunk(&desk, "site-1", part, 0, &right[..2_000]).await, PartHeld::Upto(2_000));
        let longer = [&right[2_000..], &[0; 9]].concat();
        assert_eq!(chunk(&desk, "site-1", part, 2_000, &longer).await, PartHeld::Upto(0), "too long");
        assert_eq!(held(&desk, "site-1", part).await, PartHeld::Unknown, "three are not");
        assert_eq!(chunk(&desk, "site-1", part, 0, &right).await, PartHeld::Unknown);
        let shown = get(&desk, &format!("/visits/{}", id(1))).await.json;
        assert!(shown["parts"][0]["why"].as_str().unwrap().contains("three times"), "{shown}");
        assert_eq!((&shown["complete"], &shown["parts"][0]["whole"]), (&json!(false), &json!(false)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_bound_is_kept_with_the_reason_and_refused() {
    both(|db| async move {
        let desk = desk(db).await;
        let many: Vec<Part> = (0..=PARTS_MAX).map(|n| named(&photo(100, n as u8))).collect();
        let huge = Part { bytes: 9 << 20, ..named(b"huge") };
        let none = Part { bytes: 0, ..named(b"none") };
        let said_otherwise = Part { bytes: 50, ..many[0].clone() };
        assert_eq!(desk.push("site-1", &[with_parts(1, many.clone())]).await, 0);
        assert_eq!(desk.push("site-1", &[with_parts(2, vec![huge.clone(), none, said_otherwise])]).await, 0);
        assert_eq!(held(&desk, "site-1", many[PARTS_MAX - 1].sha256).await, PartHeld::Upto(0));
        assert_eq!(held(&desk, "site-1", many[PARTS_MAX].sha256).await, PartHeld::Unknown);
        assert_eq!(held(&desk, "site-1", huge.sha256).await, PartHeld::Unknown);
        let shown = get(&desk, &format!("/visits/{}", id(2))).await.json;
        for (n, words) in
            [(0, "8388608 bytes"), (1, "8388608 bytes"), (2, "named before with another length")]
        {
            let why = shown["parts"][n]["why"].as_str().unwrap();
            assert!(why.contains(words), "{why}");
        }
        let asked = Parts { parts: vec![many[0].sha256; 101] };
        let refused = desk.say("site-1", "/sync/v1/parts", &asked).await;
        assert_eq!(
            (refused.status, refused.json["code"].as_str()),
            (StatusCode::BAD_REQUEST, Some("too_many_parts"))
        );
        for (length, status, code) in [
            (0, StatusCode::BAD_REQUEST, "bad_chunk"),
            (CHUNK_BYTES_MAX + 1, StatusCode::BAD_REQUEST, "bad_chunk"),
            (CHUNK_BYTES_MAX + 2_000, StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
        ] {
            let chunk = Chunk { part: many[0].sha256, at: 0, bytes: vec![0; length] };
            let refused = desk.say("site-1", "/sync/v1/chunk", &chunk).await;
            assert_eq!((refused.status, refused.json["code"].as_str()), (status, Some(code)), "{length}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_shown_whole_with_the_form_that_it_was_written_by() {
    both(|db| async move {
        let desk = desk(db).await;
        let text = |field: &str, text: &str| Answer {
            field: field.to_owned(),
            value: AnswerValue::Text(text.to_owned()),
        };
        let power = AnswerValue::Number(Measured::new(-27.5).unwrap());
        let visit = Visit {
            site: "HQ".to_owned(),
            met: "Sample Person".to_owned(),
            line: Some("L1".to_owned()),
            form: Some(FormName {
                pack: "field-work".to_owned(),
                version: "2026.1".to_owned(),
                name: "line-visit".to_owned(),
            }),
            answers: vec![
                Answer { field: "wrist_strap".to_owned(), value: AnswerValue::Flag(true) },
                text("medium", "fibre"),
                Answer { field: "optical_power".to_owned(), value: power },
            ],
            satisfied: Some(true),
            parts: vec![Part {
                place: Some(Place { latitude_udeg: 31_230_416, longitude_udeg: -121_473_701 }),
                taken_at: Some(START),
                ..named(&photo(2_000, 7))
            }],
            ..Visit::default()
        };
        desk.push("site-1", &[report(1, visit)]).await;
        let shown = get(&desk, &format!("/visits/{}", id(1))).await.json;
        for (key, value) in [
            ("agent", json!("site-1")),
            ("by", json!("technician-1")),
            ("at", json!(START.to_rfc3339())),
            ("customer_name", json!("Sample Bank")),
            ("time_zone", json!("Asia/Shanghai")),
            ("complete", json!(false)),
        ] {
            assert_eq!(shown[key], value, "{key}");
        }
        assert_eq!(shown["visit"]["met"], "Sample Person");
        let answers = json!([
            { "field": "wrist_strap", "value": true, "amiss": false },
            { "field": "medium", "value": "fibre", "amiss": false },
            { "field": "optical_power", "value": -27.5, "amiss": true },
        ]);
        assert_eq!(shown["visit"]["answers"], answers);
        assert_eq!(
            (&shown["form"]["pack"], &shown["form"]["label"]["en"]),
            (&json!("field-work"), &json!("Work on a line"))
        );
        assert_eq!(
            shown["form"]["fields"][2]["range"],
            json!({ "unit": "dBm", "at_least": -24.0, "at_most": -8.0 })
        );
        let part = &shown["parts"][0];
        assert_eq!(part["place"], json!({ "latitude": 31.230_416, "longitude": -121.473_701 }));
        assert_eq!((&part["taken_at"], &part["caption"]), (&json!(START.to_rfc3339()), &json!("the rack")));
        let listed = get(&desk, "/visits").await.json["items"][0].clone();
        assert_eq!(listed["parts"], json!({ "total": 1, "whole": 0 }), "not what it names one by one");
        for lang in ["zh", "en"] {
            let paper = get(&desk, &format!("/visits/{}/report.pdf?lang={lang}", id(1))).await;
            assert_eq!(
                (paper.status, &paper.bytes[..5]),
                (StatusCode::OK, b"%PDF-".as_slice()),
                "{}",
                paper.text
            );
            assert_eq!(paper.headers["content-type"], "application/pdf");
        }
        for path in ["/visits/x", "/visits/00000000-0000-0000-0000-000000000009"] {
            let unknown = get(&desk, path).await;
            assert_eq!(
                (unknown.status, unknown.json["code"].as_str()),
                (StatusCode::NOT_FOUND, Some("unknown_visit"))
            );
        }
        let path = format!("/api/v1/visits/{}", id(1));
        let technician = desk.call(Some(Role::Technician), Method::GET, &path, None).await;
        assert_eq!(technician.status, StatusCode::FORBIDDEN);
        assert_ne!(shown["form"], Value::Null);
    })
    .await;
}
