//! The end of a service: of a customer, or of one of its lines.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::Body;
use super::faults::time;
use super::idempotency::{Answer, IdempotencyKey, write_once};
use crate::app::App;
use crate::app::scopes::{sees_customer, sees_line};
use crate::app::service::{self, Ending};
use crate::auth::{Caller, Role};
use crate::store::scope::Scope;

/// Who ends services.
const WRITERS: Access = Access::Scoped(&[Role::Manager]);

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router.route(WRITERS, utoipa_axum::routes!(end_customer)).route(WRITERS, utoipa_axum::routes!(end_line))
}

/// When a service ends.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct EndBody {
    /// From when on nothing is promised any more, RFC 3339, now or later; null: the service goes on.
    #[serde(deserialize_with = "present")]
    ends_at: Option<String>,
}

/// A field that has to be there, and may be null: nobody ends, or resumes, a service by leaving something out.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(from)
}

/// A service's end.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct EndView {
    /// The customer's or line's code.
    code: String,
    /// From when on nothing is promised; null: it goes on.
    ends_at: Option<String>,
}

/// Ends all service of a customer at a moment, or lets it go on. From then on nothing new is promised: faults that are
/// still found or reported are kept and owe no deadline, rounds are cancelled, agents are given its lines no more. What
/// was promised before is kept or missed as ever.
#[utoipa::path(put, path = "/customers/{code}/service-end", tag = "customers", params(("code" = String, Path)),
    request_body = EndBody, responses((status = 200, body = EndView)))]
async fn end_customer(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    Path(code): Path<String>,
    key: IdempotencyKey,
    body: Body<EndBody>,
) -> Result<Answer, ApiError> {
    end(&app, (&caller, scope), Ending::Customer(code), key, body).await
}

/// The same of one line.
#[utoipa::path(put, path = "/lines/{code}/service-end", tag = "customers", params(("code" = String, Path)),
    request_body = EndBody, responses((status = 200, body = EndView)))]
async fn end_line(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    Path(code): Path<String>,
    key: IdempotencyKey,
    body: Body<EndBody>,
) -> Result<Answer, ApiError> {
    end(&app, (&caller, scope), Ending::Line(code), key, body).await
}

async fn end(
    app: &Arc<App>,
    (caller, scope): (&Caller, Scope),
    what: Ending,
    key: IdempotencyKey,
    body: Body<EndBody>,
) -> Result<Answer, ApiError> {
    let now = app.now();
    let ends_at = time("ends_at", body.value.ends_at.as_deref())?;
    let (desk, by) = (app.desk.clone(), caller.user.clone());
    write_once(app, caller, key, body.hash, move |tx| {
        match &what {
            Ending::Customer(code) => sees_customer(tx, &scope, code)?,
            Ending::Line(code) => sees_line(tx, &scope, code)?,
        }
        service::end(&desk, tx, &what, ends_at, &by, now)?;
        let (Ending::Customer(code) | Ending::Line(code)) = what.clone();
        Answer::new(StatusCode::OK, &EndView { code, ends_at: ends_at.map(|at| at.max(now).to_rfc3339()) })
    })
    .await
}
