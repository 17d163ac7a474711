//! Leaks of customers' data: reported by anybody, followed as matters.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::Body;
use super::faults::{short, time};
use super::idempotency::{Answer, IdempotencyKey, write_once};
use super::new_matter_step::text;
use crate::app::App;
use crate::app::leaks::{NewLeak, report};
use crate::app::scopes::sees_named;
use crate::auth::Caller;
use crate::store::scope::Scope;

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router.route(Access::ANY_OWN, utoipa_axum::routes!(report_leak))
}

/// A leak.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct LeakBody {
    /// What leaked, and how.
    what: String,
    /// The codes of the customers whose data it was, 1 to 200.
    customers: Vec<String>,
    /// When it was learnt of, RFC 3339; now where it is left out.
    learnt_at: Option<String>,
    /// Who sees to it; each customer's account manager where it is left out.
    #[serde(default)]
    owner: String,
}

/// The matters by which a leak is followed.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct LeakView {
    /// One for each customer.
    matters: Vec<LeakMatter>,
}

/// One of them.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct LeakMatter {
    /// The matter: its steps are those of `POST /matters/{id}/facts`.
    id: Uuid,
    /// The customer's code.
    customer: String,
    /// Who sees to it.
    owner: String,
}

/// Reports a leak of customers' data. It is followed as one request of the class `leak` for each customer: supervisors
/// are told at once and at each change, it stands on the day's list, and a supervisor closes it. `GET /matters?class=leak`
/// lists them.
#[utoipa::path(post, path = "/leaks", tag = "customers", request_body = LeakBody,
    responses((status = 201, body = LeakView)))]
async fn report_leak(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    key: IdempotencyKey,
    body: Body<LeakBody>,
) -> Result<Answer, ApiError> {
    let now = app.now();
    let LeakBody { what, customers, learnt_at, owner } = body.value;
    let new = NewLeak {
        id: app.fresh_id(),
        what: text("what", Some(what))?,
        customers,
        learnt_at: time("learnt_at", learnt_at.as_deref())?.unwrap_or(now),
        owner: short("owner", owner)?,
        by: caller.user.clone(),
    };
    let desk = app.desk.clone();
    write_once(&app, &caller, key, body.hash, move |tx| {
        for customer in &new.customers {
            sees_named(tx, &scope, customer)?;
        }
        let opened = report(&desk, tx, &new, now)?;
        let view = |matter: linewatch_shared::matter::Matter| LeakMatter {
            id: matter.id,
            customer: matter.customer,
            owner: matter.owner,
        };
        Answer::new(StatusCode::CREATED, &LeakView { matters: opened.into_iter().map(view).collect() })
    })
    .await
}
