//! Surveys for the desk: made, sent as links, and what they found.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use linewatch_shared::rules::Label;
use linewatch_shared::time::UnixMs;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::{Body, Params};
use super::faults::{short, time};
use super::idempotency::{Answer, IdempotencyKey, write_once};
use super::new_matter_step::text;
use super::page::{Page, PageParams, decode_cursor, limit};
use crate::app::desk::DeskError;
use crate::app::surveys::{self, INVITES_MAX, SurveyResult, invite, make};
use crate::app::{App, random};
use crate::auth::{Caller, Role};
use crate::db::{DbError, Priority};
use crate::store::scope::Scope;
use crate::store::surveys::{Survey, list};

/// What is asked is no customer's; who was asked, and what was answered, is.
const STAFF: Access = Access::Plain(&[Role::Noc, Role::Manager]);

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(STAFF, utoipa_axum::routes!(list_surveys))
        .route(STAFF, utoipa_axum::routes!(make_one))
        .route(Access::DESK_OWN, utoipa_axum::routes!(invite_some))
        .route(Access::DESK_OWN, utoipa_axum::routes!(read_result))
}

/// A survey.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct SurveyView {
    /// Its id.
    id: Uuid,
    /// Its title.
    title: String,
    /// Its questions in both languages; each is answered from 1 to 5.
    #[schema(value_type = Vec<Object>)]
    questions: Vec<Label>,
    /// Who made it.
    made_by: String,
    /// When.
    made_at: String,
    /// Until when it is answered.
    closes_at: String,
}

impl SurveyView {
    fn of(survey: Survey) -> Result<Self, DbError> {
        Ok(Self {
            id: survey.id,
            questions: surveys::questions(&survey)?,
            title: survey.title,
            made_by: survey.made_by,
            made_at: survey.made_at.to_rfc3339(),
            closes_at: survey.closes_at.to_rfc3339(),
        })
    }
}

/// Surveys, the newest first.
#[utoipa::path(get, path = "/surveys", tag = "surveys", params(PageParams),
    responses((status = 200, body = Page<SurveyView>)))]
async fn list_surveys(
    State(app): State<Arc<App>>,
    Params(params): Params<PageParams>,
) -> Result<Json<Page<SurveyView>>, ApiError> {
    let size = limit(params.limit)?;
    let before: Option<(i64, Uuid)> = decode_cursor("surveys", params.cursor.as_deref())?;
    let before = before.map(|(at, id)| (UnixMs(at), id));
    let found = app.db.read(move |tx| list(tx, before, size as i64 + 1)).await?;
    let Page { items, next_cursor } = Page::new("surveys", size, found, |item| (item.made_at.0, item.id));
    let items: Result<Vec<SurveyView>, DbError> = items.into_iter().map(SurveyView::of).collect();
    Ok(Json(Page { items: items?, next_cursor }))
}

/// A survey to make.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct SurveyBody {
    /// Its title.
    title: String,
    /// Its questions: `{"zh": "…", "en": "…"}`; each is answered from 1 to 5.
    #[schema(value_type = Vec<Object>)]
    questions: Vec<Label>,
    /// Until when it is answered, RFC 3339.
    closes_at: String,
}

/// Makes a survey.
#[utoipa::path(post, path = "/surveys", tag = "surveys", request_body = SurveyBody,
    responses((status = 201, body = SurveyView)))]
async fn make_one(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    body: Body<SurveyBody>,
) -> Result<Answer, ApiError> {
    let now = app.now();
    let SurveyBody { title, questions, closes_at } = body.value;
    for question in &questions {
        short("questions", text("questions", Some(question.zh.clone()))? + &question.en)?;
    }
    let survey = Survey {
        id: app.fresh_id(),
        title: text("title", Some(title))?,
        questions: serde_json::to_string(&questions).map_err(|error| DbError::Data(error.to_string()))?,
        made_by: caller.user.clone(),
        made_at: now,
        closes_at: time("closes_at", Some(&closes_at))?.unwrap_or_default(),
    };
    write_once(&app, &caller, key, body.hash, move |tx| {
        make(tx, &survey, &questions, now)?;
        Answer::new(StatusCode::CREATED, &SurveyView::of(survey.clone())?)
    })
    .await
}

/// Whom to ask.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct InviteBody {
    /// Customers' codes.
    customers: Vec<String>,
}

/// A customer's link.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Link {
    /// The customer's code.
    customer: String,
    /// The link, shown this once; none where the customer has answered already.
    link: Option<String>,
}

/// Gives customers links to send. One that was not answered is replaced by a new one.
#[utoipa::path(post, path = "/surveys/{id}/invites", tag = "surveys", params(("id" = String, Path)),
    request_body = InviteBody, responses((status = 200, body = Vec<Link>)))]
async fn invite_some(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    Path(id): Path<String>,
    body: Body<InviteBody>,
) -> Result<Json<Vec<Link>>, ApiError> {
    let id = survey_id(&id)?;
    let customers = body.value.customers;
    if customers.is_empty() || customers.len() > INVITES_MAX {
        return Err(ApiError::field("customers", format!("are 1 to {INVITES_MAX}")));
    }
    let secret = |customer| Ok::<_, ApiError>((customer, hex::encode(random::<32>()?)));
    let asked = customers.into_iter().map(secret).collect::<Result<Vec<_>, _>>()?;
    let (now, by) = (app.now(), caller.user);
    let links = app.db.write(Priority::Api, move |tx| invite(tx, (&scope, id), &asked, &by, now)).await?;
    let link = |(customer, secret): (String, Option<String>)| Link {
        customer,
        link: secret.map(|secret| format!("{}/survey/{secret}", app.link_base)),
    };
    Ok(Json(links.into_iter().map(link).collect()))
}

/// What a survey found, by tier, account manager and region, and its bad answers.
#[utoipa::path(get, path = "/surveys/{id}/result", tag = "surveys", params(("id" = String, Path)),
    responses((status = 200, body = SurveyResult)))]
async fn read_result(
    State(app): State<Arc<App>>,
    scope: Scope,
    Path(id): Path<String>,
) -> Result<Json<SurveyResult>, ApiError> {
    let id = survey_id(&id)?;
    let found: Result<SurveyResult, DeskError> = app.db.read(move |tx| surveys::result(tx, &scope, id)).await;
    Ok(Json(found?))
}

fn survey_id(id: &str) -> Result<Uuid, ApiError> {
    id.parse().map_err(|_| ApiError::not_found("unknown_survey", format!("there is no survey {id}")))
}
