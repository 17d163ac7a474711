//! A report from its first field to its end.

use linewatch_shared::facts::{Body as FactBody, Record, Visit};
use linewatch_shared::wire::record_hash;
use serde_json::json;

use super::*;
use crate::field::clean::tests::photo;
use crate::journal;

async fn put(desk: &Desk, id: &str, revision: u64, draft: &Value) -> (u16, Value) {
    desk.call("PUT", &format!("/api/drafts/{id}"), json!({ "revision": revision, "draft": draft })).await
}

async fn add_photo(desk: &Desk, id: &str, bytes: Vec<u8>) -> (u16, Value) {
    let mut request = desk.request("POST", &format!("/api/drafts/{id}/photos"), &Value::Null);
    *request.body_mut() = Body::from(bytes);
    request.headers_mut().insert("content-type", "image/jpeg".parse().unwrap());
    let answer = desk.send(request).await;
    (answer.status().as_u16(), body(answer).await)
}

fn visits(desk: &Desk) -> Vec<(Record, Visit)> {
    let stored = desk.journal.read_blocking(|db| journal::of_kinds(db, &["visit"], 100)).unwrap();
    let read = |stored: &journal::Stored| {
        let record = Record::from_bytes(&stored.bytes).unwrap();
        let FactBody::Visit(visit) = record.body.clone() else { panic!() };
        (record, visit)
    };
    stored.iter().map(read).collect()
}

fn lacking(answer: &Value) -> Vec<String> {
    let lacks = answer["lacks"].as_array().unwrap();
    lacks
        .iter()
        .map(|lack| format!("{} {}", lack["field"].as_str().unwrap(), lack["why"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn a_visit_is_written_over_a_restart_and_finished_once() {
    let mut desk = Desk::new().await;
    let form = json!({ "pack": "field-work", "version": "2026.1", "name": "line-visit" });
    let begin = json!({ "customer": "C1", "line": "L1", "form": form });
    let (status, begun) = desk.call("POST", "/api/drafts", begin).await;
    assert_eq!(status, 201);
    let id = begun["id"].as_str().unwrap().to_owned();
    let draft = |medium: &str| {
        json!({
            "customer": "C1", "line": "L1", "form": form, "purpose": "no light", "met": "Sample Person",
            "answers": { "wrist_strap": true, "medium": medium, "optical_power": -27.5, "labels": true, "cleared": true },
        })
    };
    let (status, saved) = put(&desk, &id, 1, &draft("fibre")).await;
    assert_eq!((status, saved["revision"].as_u64(), lacking(&saved)), (200, Some(2), vec![]));
    // The battery dies: one signs in again, and what was saved is there.
    desk.restarted();
    assert_eq!(desk.call("GET", "/api/drafts", Value::Null).await.0, 401);
    desk.sign_in("technician-1").await;
    let kept = desk.get(&format!("/api/drafts/{id}")).await;
    assert_eq!((kept["revision"].as_u64(), &kept["draft"]["purpose"]), (Some(2), &json!("no light")));

    let dirty = photo(b"GPS 31.23", &[1, 2, 3]);
    let (status, first) = add_photo(&desk, &id, dirty).await;
    assert_eq!(status, 201, "{first}");
    let (_, signature) = add_photo(&desk, &id, photo(b"", &[9])).await;
    let mut whole = draft("fibre");
    whole["photos"] = json!([{ "sha256": first["sha256"], "caption": "port 3", "place": { "latitude": 31.23, "longitude": 121.47 } }]);
    whole["signature"] = signature["sha256"].clone();
    let (_, saved) = put(&desk, &id, 2, &whole).await;
    assert_eq!(lacking(&saved), ["signed_by missing"], "a signature has a name");
    let (status, refused) = desk.call("POST", &format!("/api/drafts/{id}/finish"), Value::Null).await;
    assert_eq!(
        (status, refused["code"].as_str(), lacking(&refused)),
        (422, Some("report_lacks"), vec!["signed_by missing".to_owned()])
    );
    assert!(visits(&desk).is_empty(), "nothing of it is a report yet");
    whole["signed_by"] = json!("Sample Person");
    whole["satisfied"] = json!(true);
    assert_eq!(put(&desk, &id, 3, &whole).await.0, 200);
    assert_eq!(desk.call("POST", &format!("/api/drafts/{id}/finish"), Value::Null).await.0, 201);
    assert_eq!(
        desk.call("POST", &format!("/api/drafts/{id}/finish"), Value::Null).await.0,
        200,
        "once is once"
    );

    let found = visits(&desk);
    let [(record, visit)] = found.as_slice() else { panic!("{} reports", found.len()) };
    assert_eq!((record.id.to_string(), record.by.as_deref()), (id.clone(), Some("technician-1")));
    assert_eq!((visit.parts.len(), visit.satisfied, visit.answers.len()), (2, Some(true), 5));
    assert_eq!(visit.parts[0].place.unwrap().latitude_udeg, 31_230_000);
    let bytes = desk
        .journal
        .read_blocking(|db| crate::field::parts::bytes(db, found[0].1.parts[0].sha256, 0, 1_000))
        .unwrap()
        .unwrap();
    assert_eq!(record_hash(&bytes), visit.parts[0].sha256);
    assert!(
        !String::from_utf8_lossy(&bytes).contains("GPS"),
        "what the camera wrote is gone before it is kept"
    );

    assert_eq!(desk.get("/api/drafts").await, json!([]));
    let saved = desk.get("/api/saved").await;
    assert_eq!(
        (&saved[0]["kind"], &saved[0]["state"], &saved[0]["parts"]["total"]),
        (&json!("visit"), &json!("here"), &json!(2))
    );
    let report = desk.get(&format!("/api/visits/{id}")).await;
    assert_eq!(
        (&report["customer_name"], &report["form"]["name"]),
        (&json!("Sample Customer"), &json!("line-visit"))
    );
    let picture = desk
        .send(desk.request("GET", &format!("/api/parts/{}", first["sha256"].as_str().unwrap()), &Value::Null))
        .await;
    assert_eq!(picture.headers()["content-type"], "image/jpeg");
}

#[tokio::test]
async fn two_windows_do_not_overwrite_each_other() {
    let desk = Desk::new().await;
    let (_, begun) = desk.call("POST", "/api/drafts", json!({ "customer": "C1" })).await;
    let id = begun["id"].as_str().unwrap();
    assert_eq!(put(&desk, id, 1, &json!({ "purpose": "first" })).await.0, 200);
    let (status, problem) = put(&desk, id, 1, &json!({ "purpose": "second" })).await;
    assert_eq!((status, problem["code"].as_str()), (409, Some("other_revision")));
    assert_eq!(problem["newer"]["draft"]["purpose"], "first");
    let (status, _) = put(&desk, id, 2, &json!({ "purpose": "x".repeat(8_001) })).await;
    assert_eq!(status, 422);
    let (status, _) = put(&desk, id, 2, &json!({ "colour": "red" })).await;
    assert_eq!(status, 400, "a field that nobody knows is not dropped in silence");
    assert_eq!(desk.get(&format!("/api/drafts/{id}")).await["draft"]["purpose"], "first");
}

#[tokio::test]
async fn what_is_thrown_away_takes_its_photos_along_but_not_those_of_others() {
    let desk = Desk::new().await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let (_, begun) = desk.call("POST", "/api/drafts", json!({ "customer": "C1" })).await;
        let id = begun["id"].as_str().unwrap().to_owned();
        add_photo(&desk, &id, photo(b"", &[5])).await;
        ids.push(id);
    }
    let count = || {
        let count = |db: &rusqlite::Connection| {
            Ok(db.query_row("SELECT count(*) FROM part", [], |row| row.get::<_, i64>(0))?)
        };
        desk.journal.read_blocking(count).unwrap()
    };
    assert_eq!(count(), 1, "the same photo is kept once");
    assert_eq!(desk.call("DELETE", &format!("/api/drafts/{}", ids[0]), Value::Null).await.0, 204);
    assert_eq!(count(), 1);
    assert_eq!(desk.call("DELETE", &format!("/api/drafts/{}", ids[1]), Value::Null).await.0, 204);
    assert_eq!(count(), 0);
    assert_eq!(desk.call("DELETE", &format!("/api/drafts/{}", ids[1]), Value::Null).await.0, 404);
    assert_eq!(add_photo(&desk, &ids[0], photo(b"", &[5])).await.0, 404);
    let (status, problem) = add_photo(&desk, &ids[0], b"<svg onload=alert(1)>".to_vec()).await;
    assert_eq!((status, problem["code"].as_str()), (422, Some("no_picture")));
}
