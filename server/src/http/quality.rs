//! Quality samples of closed work.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use uuid::Uuid;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::Body;
use super::faults::short;
use super::idempotency::{Answer, IdempotencyKey, write_once};
use super::reports::month;
use crate::app::App;
use crate::app::desk::DeskError;
use crate::app::quality::{self, NewCheck, QualityMonth};
use crate::auth::Caller;

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router.route(Access::DESK, utoipa_axum::routes!(read, check))
}

/// A month's sample of closed faults, complaints, requests and defects, with what was found. What is drawn follows from
/// the month and the ids.
#[utoipa::path(get, path = "/quality/{month}", tag = "quality", params(("month" = String, Path)),
    responses((status = 200, body = QualityMonth)))]
async fn read(
    State(app): State<Arc<App>>,
    Path(asked): Path<String>,
) -> Result<Json<QualityMonth>, ApiError> {
    let (month, desk, rules, now) =
        (month(&asked)?, app.desk.clone(), app.settings.sample_rules(), app.now());
    let found: Result<QualityMonth, DeskError> =
        app.db.read(move |tx| quality::sample(&desk, tx, month, rules, now)).await;
    Ok(Json(found?))
}

/// What was found.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct CheckBody {
    /// The fault's or the matter's id, as it was drawn.
    subject: Uuid,
    /// 0 to 100.
    points: i64,
    /// In words; needed where the points are not enough.
    #[serde(default)]
    remarks: String,
}

/// Writes down what a checker found of something that was drawn; who did the work cannot.
#[utoipa::path(post, path = "/quality/{month}", tag = "quality", params(("month" = String, Path)),
    request_body = CheckBody, responses((status = 200, body = QualityMonth)))]
async fn check(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    Path(asked): Path<String>,
    body: Body<CheckBody>,
) -> Result<Answer, ApiError> {
    let CheckBody { subject, points, remarks } = body.value;
    let (month, remarks) = (month(&asked)?, short("remarks", remarks)?);
    let new = NewCheck { month, subject, points, remarks, by: caller.user.clone() };
    let (desk, rules, now) = (app.desk.clone(), app.settings.sample_rules(), app.now());
    write_once(&app, &caller, key, body.hash, move |tx| {
        Answer::new(StatusCode::OK, &quality::check(&desk, tx, &new, rules, now)?)
    })
    .await
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use linewatch_shared::time::{DAY_MS, HOUR_MS};
    use serde_json::{Value, json};

    use crate::app::import;
    use crate::auth::Role;
    use crate::db::testing::both;
    use crate::http::testing::{START, TestAnswer, TestDesk};
    use std::sync::Arc;

    async fn call(desk: &TestDesk, role: Role, path: &str, body: Value) -> TestAnswer {
        desk.call(Some(role), Method::POST, &format!("/api/v1{path}"), Some(body)).await
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_part_of_what_was_closed_is_drawn_and_checked_by_somebody_else() {
        both(|db| async move {
            let desk = TestDesk::new(db).await;
            let customers = "code,name,tier,manager\nbank,Sample Bank,AAA,Manager A\n";
            let packs = Arc::clone(&desk.app.packs);
            import::bytes(&desk.app.db, &packs, customers.as_bytes(), false, START).await.unwrap();
            let mut closed = Vec::new();
            for number in 0..7 {
                let body = json!({ "kind": "complaint", "class": "minor", "customer": "bank", "title": format!("{number}") });
                let id = call(&desk, Role::Noc, "/matters", body).await.json["id"].as_str().unwrap().to_owned();
                for step in [
                    json!({ "kind": "resolved", "text": "done" }),
                    json!({ "kind": "callback", "reached": true, "result": "satisfied" }),
                ] {
                    let answer = call(&desk, Role::Noc, &format!("/matters/{id}/facts"), step).await;
                    assert!(answer.status.is_success(), "{}", answer.text);
                }
                closed.push(id);
            }
            let read = async || desk.call(Some(Role::Noc), Method::GET, "/api/v1/quality/2026-09", None).await;
            assert_eq!((read().await.status.as_u16(), read().await.json["field"].clone()), (422, json!("month")));
            desk.clock.advance(11 * DAY_MS + HOUR_MS);
            let answer = read().await;
            assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
            let month = answer.json;
            let drawn: Vec<String> = month["items"].as_array().unwrap().iter().map(|item| item["subject"].as_str().unwrap().to_owned()).collect();
            assert_eq!((month["closed"].clone(), drawn.len(), month["good_permille"].clone()), (json!(7), 5, Value::Null));
            assert_eq!(read().await.json, month, "the same again");
            let found = |subject: &str, points: i64, remarks: &str| json!({ "subject": subject, "points": points, "remarks": remarks });
            let check = async |role, body| call(&desk, role, "/quality/2026-09", body).await;
            let own = check(Role::Noc, found(&drawn[0], 90, "")).await;
            assert_eq!(own.status.as_u16(), 409, "who did the work: {}", own.text);
            let other = closed.iter().find(|id| !drawn.contains(id)).unwrap();
            for body in [found(&drawn[0], 101, ""), found(&drawn[0], 50, ""), found(other, 90, "")] {
                let refused = check(Role::Admin, body).await;
                assert_eq!(refused.status.as_u16(), 422, "{}", refused.text);
            }
            assert_eq!(read().await.json, month, "what was refused changed nothing");
            check(Role::Admin, found(&drawn[0], 90, "")).await;
            let answer = check(Role::Admin, found(&drawn[1], 50, "no letter")).await.json;
            let figures = ["checked", "good", "good_permille"].map(|name| answer[name].clone());
            assert_eq!(figures, [json!(2), json!(1), json!(500)]);
            let kept = answer["items"].as_array().unwrap().iter().find(|item| item["subject"] == json!(drawn[1])).unwrap();
            assert_eq!((kept["good"].clone(), kept["checked_by"].clone()), (json!(false), json!("admin")));
        })
        .await;
    }
}
