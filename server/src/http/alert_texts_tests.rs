//! The words of alerts over the API.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::testing::{TestAnswer, TestDesk};
use crate::auth::Role;
use crate::db::testing::{both, int};

const SUBJECT: &str = "/alert-texts/zh/subject";

async fn call(desk: &TestDesk, method: Method, path: &str, body: Option<Value>) -> TestAnswer {
    desk.call(Some(Role::Admin), method, &format!("/api/v1{path}"), body).await
}

async fn put(desk: &TestDesk, path: &str, text: &str) -> TestAnswer {
    call(desk, Method::PUT, path, Some(json!({ "text": text }))).await
}

async fn preview(desk: &TestDesk, body: Value) -> TestAnswer {
    call(desk, Method::POST, "/alert-texts/preview", Some(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_replaced_listed_seen_and_taken_back() {
    both(|db| async move {
        let desk = TestDesk::new(db).await;
        let mine = "【样例电信】{ $customer } { $line }：{ $what }";
        let kept = put(&desk, SUBJECT, &format!("  {mine}\r\n")).await;
        assert_eq!((kept.status, &kept.json["own"]), (StatusCode::OK, &json!(mine)), "{}", kept.text);
        assert_eq!((&kept.json["left_out"], &kept.json["by"]), (&json!(["tier"]), &json!("admin")));
        // Said twice it is done once.
        put(&desk, SUBJECT, mine).await;
        let audit = "SELECT COUNT(*) FROM audit WHERE action = 'alert text set' AND subject = 'zh/subject'";
        assert_eq!(int(&desk.app.db, audit).await.unwrap(), 1);

        let own = call(&desk, Method::GET, "/alert-texts?own=true", None).await.json;
        assert_eq!((own["items"].as_array().unwrap().len(), &own["items"][0]["lang"]), (1, &json!("zh")));
        let seen =
            preview(&desk, json!({ "lang": "both", "kind": "feedback", "mark": "warn_80" })).await.json;
        let subject = seen["subject"].as_str().unwrap();
        assert!(subject.starts_with("【样例电信】样例客户 Sample customer SAMPLE-1：须于 "), "{subject}");
        assert!(
            subject.contains(" / [AAA Gold] 样例客户 Sample customer SAMPLE-1: feedback due"),
            "{subject}"
        );
        assert!(seen["chat"].as_str().unwrap().starts_with(subject), "{seen}");
        assert!(seen["html"].as_str().unwrap().contains("<table>"), "{seen}");
        let has_take = |form: &str| seen[form].as_str().unwrap().contains("http://desk.test/a/");
        assert!(has_take("plain") && has_take("html") && !has_take("chat"), "{seen}");

        assert_eq!(call(&desk, Method::DELETE, SUBJECT, None).await.status, StatusCode::NO_CONTENT);
        let seen = preview(&desk, json!({ "lang": "zh" })).await.json;
        assert!(seen["subject"].as_str().unwrap().starts_with("【AAA 金牌】"), "{seen}");
        let again = call(&desk, Method::DELETE, SUBJECT, None).await;
        assert_eq!((again.status, &again.json["code"]), (StatusCode::NOT_FOUND, &json!("no_own_text")));
        let reset = "SELECT COUNT(*) FROM audit WHERE action = 'alert text reset'";
        assert_eq!(int(&desk.app.db, reset).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_changes_nothing() {
    both(|db| async move {
        let desk = TestDesk::new(db).await;
        put(&desk, SUBJECT, "{ $what }").await;
        let refused = put(&desk, SUBJECT, "{ $whom }").await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
        assert_eq!(
            (&refused.json["field"], &refused.json["reason"]),
            (&json!("text"), &json!("unknown_variable"))
        );
        assert_eq!(refused.json["possible"], json!(["customer", "line", "tier", "what"]));
        let unknown = put(&desk, "/alert-texts/zh/restoration-missed", "x").await;
        assert_eq!((unknown.status, &unknown.json["code"]), (StatusCode::NOT_FOUND, &json!("unknown_text")));
        assert!(
            unknown.json["detail"].as_str().unwrap().contains("restoration-missed.lead"),
            "{}",
            unknown.text
        );
        assert_eq!(put(&desk, "/alert-texts/fr/subject", "x").await.status, StatusCode::UNPROCESSABLE_ENTITY);
        for role in [Role::Noc, Role::Manager, Role::Technician] {
            let path = format!("/api/v1{SUBJECT}");
            let body = Some(json!({ "text": "x" }));
            assert_eq!(desk.call(Some(role), Method::PUT, &path, body).await.status, StatusCode::FORBIDDEN);
            assert_eq!(
                desk.call(Some(role), Method::DELETE, &path, None).await.status,
                StatusCode::FORBIDDEN
            );
        }
        let own = call(&desk, Method::GET, "/alert-texts?own=true", None).await.json;
        assert_eq!(
            (own["items"].as_array().unwrap().len(), &own["items"][0]["own"]),
            (1, &json!("{ $what }"))
        );
        assert_eq!(
            int(&desk.app.db, "SELECT COUNT(*) FROM audit WHERE action LIKE 'alert text%'").await.unwrap(),
            1
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_shows_what_is_not_kept_yet_and_keeps_nothing() {
    let database = crate::db::testing::sqlite();
    let desk = TestDesk::new(crate::db::Db::open(&database.url, 0).await.unwrap()).await;
    let id = "promise-permit";
    let draft = json!({ "lang": "en", "id": id, "text": "the paper" });
    let seen = preview(&desk, json!({ "lang": "en", "id": id, "texts": [draft] })).await.json;
    assert!(seen["subject"].as_str().unwrap().contains("the paper missed"), "{seen}");
    assert_eq!(
        (&seen["kind"], &seen["mark"], &seen["form"]),
        (&json!("permit"), &json!("missed"), &json!("alert"))
    );
    let own = call(&desk, Method::GET, "/alert-texts?own=true", None).await.json;
    assert_eq!(own["items"], json!([]));
    let wrong = [
        (json!({ "kind": "visit" }), "kind"),
        (json!({ "mark": "outcome" }), "mark"),
        (json!({ "matter": "party" }), "matter"),
        (json!({ "form": "song" }), "form"),
        (json!({ "lang": "fr" }), "lang"),
        (json!({ "texts": [{ "lang": "en", "id": id, "text": "{" }] }), "text"),
    ];
    for (body, field) in wrong {
        let refused = preview(&desk, body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
        assert_eq!(refused.json["field"], field, "{}", refused.text);
    }
    let matter = json!({ "lang": "en", "matter": "visit", "kind": "visit", "mark": "warn_80", "late": true });
    let seen = preview(&desk, matter).await.json;
    assert!(
        seen["subject"].as_str().unwrap().contains("learnt late: 80 % of the time for the visit"),
        "{seen}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_has_every_text_of_both_languages_page_by_page() {
    let database = crate::db::testing::sqlite();
    let desk = TestDesk::new(crate::db::Db::open(&database.url, 0).await.unwrap()).await;
    let mut seen = std::collections::BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let page = call(&desk, Method::GET, &format!("/alert-texts?limit=150{cursor}"), None).await.json;
        for item in page["items"].as_array().unwrap() {
            assert!(seen.insert(format!("{}/{}", item["lang"], item["id"])), "{item}");
        }
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen.len(), 2 * crate::notify::shipped::all().len());
}
