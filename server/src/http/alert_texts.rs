//! The words of alerts, which a desk may replace by its own.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::{Body, Params};
use super::idempotency::{Answer, IdempotencyKey, write_once};
use super::page::{Page, decode_cursor, limit};
use crate::app::App;
use crate::app::alert_texts::{self, Asked, Draft, TextError, TextPreview, TextView};
use crate::auth::Caller;
use crate::config::AlertLang;
use crate::db::{DbError, Priority};
use crate::notify::sample::Wanted;
use crate::notify::words::Lang;

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::ADMIN, utoipa_axum::routes!(list))
        .route(Access::ADMIN, utoipa_axum::routes!(put, reset))
        .route(Access::ADMIN, utoipa_axum::routes!(preview))
}

impl From<TextError> for ApiError {
    fn from(error: TextError) -> Self {
        let detail = error.to_string();
        match error {
            TextError::Db(error) => error.into(),
            TextError::Unknown(_) => Self::not_found("unknown_text", detail),
            TextError::NotOwn { .. } => Self::not_found("no_own_text", detail),
            TextError::Refused { id, refusal } => Self::field("text", detail)
                .with("reason", refusal.reason)
                .with("possible", refusal.possible)
                .with("id", id),
            TextError::Sample { field, possible } => Self::field(field, detail).with("possible", possible),
            TextError::TooMany => Self::field("texts", detail),
        }
    }
}

/// Which texts.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TextParams {
    /// Only in this language: `zh` or `en`.
    lang: Option<String>,
    /// Only those that have a text of the desk's own (`true`), or have none (`false`).
    own: Option<bool>,
    /// Items in the page, 1 to 500; 100 by default.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Every text that alerts are made of, in both languages, in the order in which they are shipped.
#[utoipa::path(get, path = "/alert-texts", tag = "alerts", params(TextParams),
    responses((status = 200, body = Page<TextView>)))]
async fn list(
    State(app): State<Arc<App>>,
    Params(params): Params<TextParams>,
) -> Result<Json<Page<TextView>>, ApiError> {
    let size = limit(params.limit)?;
    let wanted = params.lang.as_deref().map(|name| lang(name, ApiError::parameter)).transpose()?;
    // Texts keep their order, so a page begins after the place of the last one.
    let skip: usize = decode_cursor("alert texts", params.cursor.as_deref())?.unwrap_or(0);
    let texts: Result<Vec<TextView>, DbError> = app.db.read(alert_texts::list).await;
    let texts = texts?.into_iter().zip(1_usize..);
    let shown = texts.filter(|(text, _)| wanted.is_none_or(|lang| text.lang == lang.name()));
    let shown = shown.filter(|(text, _)| params.own.is_none_or(|own| text.own.is_some() == own));
    let found = shown.filter(|(_, place)| *place > skip).take(size + 1).collect();
    let Page { items, next_cursor } =
        Page::new("alert texts", size, found, |(_, place): &(TextView, usize)| *place);
    Ok(Json(Page { items: items.into_iter().map(|(text, _)| text).collect(), next_cursor }))
}

fn lang(name: &str, wrong: impl Fn(&str, String) -> ApiError) -> Result<Lang, ApiError> {
    Lang::parse(name).ok_or_else(|| wrong("lang", format!("lang is zh or en, not \"{name}\"")))
}

/// A text of the desk's own.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct OwnTextBody {
    /// What it says, as Fluent writes the right side of a message: `{ $due }` is a variable.
    text: String,
}

/// Replaces a text by the desk's own, from the next message on. 422 with `reason` when the text cannot stand there;
/// then nothing is changed.
#[utoipa::path(put, path = "/alert-texts/{lang}/{id}", tag = "alerts",
    params(("lang" = String, Path), ("id" = String, Path)), request_body = OwnTextBody,
    responses((status = 200, body = TextView)))]
async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((name, id)): Path<(String, String)>,
    key: IdempotencyKey,
    body: Body<OwnTextBody>,
) -> Result<Answer, ApiError> {
    let (lang, now, by) = (lang(&name, ApiError::field)?, app.now(), caller.user.clone());
    let text = body.value.text;
    write_once(&app, &caller, key, body.hash, move |tx| {
        Answer::new(StatusCode::OK, &alert_texts::put(tx, (lang, &id), &text, (&by, now))?)
    })
    .await
}

/// Takes the desk's own text back: the shipped one is used again.
#[utoipa::path(delete, path = "/alert-texts/{lang}/{id}", tag = "alerts",
    params(("lang" = String, Path), ("id" = String, Path)), responses((status = 204)))]
async fn reset(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((name, id)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let (lang, now) = (lang(&name, ApiError::field)?, app.now());
    let done: Result<(), TextError> =
        app.db.write(Priority::Api, move |tx| alert_texts::reset(tx, (lang, &id), (&caller.user, now))).await;
    done?;
    Ok(StatusCode::NO_CONTENT)
}

/// What to write a sample with.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct PreviewBody {
    /// `zh`, `en` or `both`; as configured where it is left out.
    lang: Option<String>,
    /// Texts that are not kept yet, in place of those that are.
    #[serde(default)]
    texts: Vec<Draft>,
    /// A text that is to be seen in the sample.
    id: Option<String>,
    /// The promise: `restoration`, `feedback`, …
    kind: Option<String>,
    /// What about it: `warn_50`, `warn_80`, `missed`, `met_late`, `corrected`; of a matter also `changed` and `outcome`.
    mark: Option<String>,
    /// `complaint`, `request`, … where it is about such a matter, and not about a fault.
    matter: Option<String>,
    /// `alert`, `again`, `night`, `digest`, `storm`, `day` or `desk_day`.
    form: Option<String>,
    /// Whether it was learnt late.
    late: Option<bool>,
}

/// Writes a sample alert as it would go out: with the texts that are kept, and those given here in their place. Nothing
/// is kept or sent.
#[utoipa::path(post, path = "/alert-texts/preview", tag = "alerts", request_body = PreviewBody,
    responses((status = 200, body = TextPreview)))]
async fn preview(
    State(app): State<Arc<App>>,
    body: Body<PreviewBody>,
) -> Result<Json<TextPreview>, ApiError> {
    let PreviewBody { lang: name, texts, id, kind, mark, matter, form, late } = body.value;
    let both = match name.as_deref() {
        None => app.settings.alert_lang,
        Some("both") => AlertLang::Both,
        Some(name) => match lang(name, |field, _| ApiError::field(field, "lang is zh, en or both"))? {
            Lang::Zh => AlertLang::Zh,
            Lang::En => AlertLang::En,
        },
    };
    for draft in &texts {
        lang(&draft.lang, ApiError::field)?;
    }
    let asked = Asked {
        lang: both,
        drafts: texts,
        id,
        wanted: Wanted { kind, mark, matter, form, late },
        base: app.link_base.clone(),
        time_zone: app.packs.iter().next().map_or("UTC", |loaded| loaded.pack.time_zone.name()).to_owned(),
    };
    let now = app.now();
    let made: Result<TextPreview, TextError> =
        app.db.read(move |tx| alert_texts::preview(tx, &asked, now)).await;
    Ok(Json(made?))
}
