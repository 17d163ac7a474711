//! Surveys for the desk, and the small page on which a customer answers one.

use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
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
use crate::app::surveys::{self, BEST, INVITES_MAX, NewAnswer, SurveyResult, answer, hash_of, invite, make};
use crate::app::{App, random};
use crate::auth::Caller;
use crate::db::{DbError, Priority};
use crate::store::surveys::{Invite, Survey, invite_of, list};

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::DESK, utoipa_axum::routes!(list_surveys))
        .route(Access::DESK, utoipa_axum::routes!(make_one))
        .route(Access::DESK, utoipa_axum::routes!(invite_some))
        .route(Access::DESK, utoipa_axum::routes!(read_result))
}

/// The page to which a link leads: for anybody who has the link.
pub fn page() -> Router<Arc<App>> {
    Router::new().route("/survey/{secret}", get(show).post(take))
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
    let links = app.db.write(Priority::Api, move |tx| invite(tx, id, &asked, &by, now)).await?;
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
    Path(id): Path<String>,
) -> Result<Json<SurveyResult>, ApiError> {
    let id = survey_id(&id)?;
    let found: Result<SurveyResult, DeskError> = app.db.read(move |tx| surveys::result(tx, id)).await;
    Ok(Json(found?))
}

fn survey_id(id: &str) -> Result<Uuid, ApiError> {
    id.parse().map_err(|_| ApiError::not_found("unknown_survey", format!("there is no survey {id}")))
}

async fn show(State(app): State<Arc<App>>, Path(secret): Path<String>) -> Response {
    let hash = hash_of(&secret);
    let found: Result<Option<Invite>, DbError> = app.db.read(move |tx| invite_of(tx, hash)).await;
    match found {
        Ok(Some(invite)) if invite.answered_at.is_some() => said(StatusCode::OK, ANSWERED),
        Ok(Some(invite)) if app.now() > invite.survey.closes_at => said(StatusCode::GONE, CLOSED),
        Ok(Some(invite)) => match surveys::questions(&invite.survey) {
            Ok(questions) => html(StatusCode::OK, &form(&invite.survey.title, &questions)),
            Err(_) => said(StatusCode::INTERNAL_SERVER_ERROR, FAILED),
        },
        Ok(None) => said(StatusCode::NOT_FOUND, UNKNOWN),
        Err(_) => said(StatusCode::SERVICE_UNAVAILABLE, FAILED),
    }
}

/// The form's fields: `q1`, `q2` … and `comment`.
async fn take(
    State(app): State<Arc<App>>,
    Path(secret): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    let mut scores: Vec<(usize, u8)> = Vec::new();
    let mut comment = String::new();
    for (name, value) in fields {
        match (name.strip_prefix('q').and_then(|n| n.parse().ok()), value.parse()) {
            (Some(number), Ok(score)) => scores.push((number, score)),
            _ if name == "comment" => comment = value,
            _ => return said(StatusCode::BAD_REQUEST, INCOMPLETE),
        }
    }
    scores.sort_unstable();
    let numbered = scores.iter().zip(1..).all(|((number, _), expected)| *number == expected);
    let Ok(comment) = short("comment", comment) else { return said(StatusCode::BAD_REQUEST, INCOMPLETE) };
    if !numbered {
        return said(StatusCode::BAD_REQUEST, INCOMPLETE);
    }
    let new = NewAnswer { secret, scores: scores.into_iter().map(|(_, score)| score).collect(), comment };
    let (desk, now) = (app.desk.clone(), app.now());
    match app.db.write(Priority::Api, move |tx| answer(&desk, tx, &new, now)).await {
        Ok(()) => said(StatusCode::OK, THANKS),
        Err(DeskError::Impossible { .. }) => said(StatusCode::CONFLICT, ANSWERED),
        Err(DeskError::Invalid { .. }) => said(StatusCode::BAD_REQUEST, INCOMPLETE),
        Err(DeskError::NoSurvey(_)) => said(StatusCode::NOT_FOUND, UNKNOWN),
        Err(_) => said(StatusCode::SERVICE_UNAVAILABLE, FAILED),
    }
}

const THANKS: &str = "谢谢您的答复。 Thank you for your answer.";
const ANSWERED: &str = "已收到您的答复，或调查已结束。 This survey was answered already, or is closed.";
const CLOSED: &str = "调查已结束。 This survey is closed.";
const UNKNOWN: &str = "此链接无效。 This link leads nowhere.";
const INCOMPLETE: &str = "请返回并回答每一个问题。 Please go back and answer every question.";
const FAILED: &str = "暂时无法处理，请稍后再试。 This does not work right now; please try again later.";

fn said(status: StatusCode, words: &str) -> Response {
    html(status, &format!("<p>{words}</p>"))
}

fn form(title: &str, questions: &[Label]) -> String {
    let mut form = format!("<h1>{}</h1><form method=\"post\">", escaped(title));
    for (number, label) in (1..).zip(questions) {
        let words = format!("{} {}", escaped(&label.zh), escaped(&label.en));
        let choice = |score| {
            let input = format!("<input type=\"radio\" name=\"q{number}\" value=\"{score}\" required>");
            format!("<label>{input}{score} </label>")
        };
        let choices: String = (1..=BEST).map(choice).collect();
        form.extend(["<fieldset><legend>", &words, "</legend>", &choices, "</fieldset>"]);
    }
    form.push_str(
        "<p>1 = 很不满意 very dissatisfied, 5 = 非常满意 very satisfied</p>\
         <p><label>您的意见 Your remarks<br><textarea name=\"comment\" rows=\"5\" cols=\"60\" maxlength=\"2000\">\
         </textarea></label></p><button>提交 Send</button></form>",
    );
    form
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A page without scripts, styles or anything from elsewhere, which nobody keeps or frames.
fn html(status: StatusCode, body: &str) -> Response {
    let page = format!(
        "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><meta name=\"referrer\" content=\"no-referrer\"><title>调查 Survey</title>\
         <main>{body}</main></html>"
    );
    let mut response = (status, Html(page)).into_response();
    let headers = response.headers_mut();
    let policy = "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_shown_and_not_run() {
        let label = Label { zh: "<script>x</script>".to_owned(), en: "\"&".to_owned() };
        let page = form("<b>", &[label]);
        assert!(
            page.contains("&lt;script&gt;x&lt;/script&gt; &quot;&amp;") && page.contains("<h1>&lt;b&gt;")
        );
        assert_eq!(page.matches("name=\"q1\"").count(), 5);
    }
}
