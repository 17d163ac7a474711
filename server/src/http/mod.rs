//! The only place that knows axum: routes, roles, errors, pages.
//!
//! To add an endpoint: one file with its handlers (each with `#[utoipa::path(…, path = "/x")]`) and a
//! `pub fn routes(router: ApiRouter) -> ApiRouter` that says for which roles each is; then one line in
//! [`api`]. Errors are [`ApiError`]; bodies are [`extract::Body`], parameters [`extract::Params`], lists
//! [`page::Page`]; a write that may be sent again goes through [`idempotency::write_once`].

mod acceptance;
#[cfg(test)]
mod acceptance_tests;
pub mod access;
mod account;
#[cfg(test)]
mod account_tests;
#[cfg(test)]
mod admin_tests;
mod admissions;
#[cfg(test)]
mod agent_customer_tests;
#[cfg(test)]
mod agent_people_tests;
mod agents_keys;
mod agents_sync;
mod agreements;
#[cfg(test)]
mod alert_tests;
mod alert_texts;
#[cfg(test)]
mod alert_texts_tests;
mod alertmanager;
mod alerts;
#[cfg(test)]
mod assessment_tests;
mod assessments;
mod assets;
mod audit_trail;
#[cfg(any(test, feature = "testing"))]
pub mod audited;
#[cfg(test)]
mod audited_tests;
mod availability;
#[cfg(test)]
mod availability_tests;
mod board;
mod calls;
#[cfg(test)]
mod canary_tests;
#[cfg(test)]
mod channel_tests;
mod channels;
mod confidential;
#[cfg(test)]
mod confidential_tests;
mod confirm;
mod conflicts;
mod contact_trail;
#[cfg(test)]
mod contractor_tests;
mod contractors;
#[cfg(test)]
mod copied_tests;
mod dead_letters;
mod deadlines;
mod diary;
mod duties;
mod enrolment;
mod equipment;
#[cfg(test)]
mod equipment_tests;
mod erasures;
pub mod error;
mod export;
pub mod extract;
#[cfg(test)]
mod fault_tests;
mod faults;
#[cfg(test)]
mod field_tests;
mod grading;
pub mod health;
pub mod idempotency;
mod leaks;
mod limits;
#[cfg(test)]
mod matter_tests;
mod matters;
mod new_fact;
mod new_matter_step;
mod observe;
mod pack_preview;
#[cfg(test)]
mod pack_preview_tests;
pub mod page;
mod page_token;
#[cfg(test)]
mod paper_tests;
mod papers;
#[cfg(test)]
mod part_tests;
mod people;
mod permit_body;
#[cfg(test)]
mod plan_tests;
mod planned_work;
mod plans;
mod quality;
mod re_rate;
mod reference;
#[cfg(test)]
mod reference_tests;
mod refused;
#[cfg(test)]
mod refused_tests;
#[cfg(test)]
mod report_tests;
#[cfg(test)]
mod reported_tests;
mod reports;
#[cfg(test)]
mod risk_tests;
mod risks;
mod rota;
#[cfg(test)]
mod scope_desk_tests;
#[cfg(test)]
mod scope_tests;
mod second_factor;
#[cfg(test)]
mod second_factor_tests;
mod service_end;
#[cfg(test)]
mod service_tests;
pub mod session;
mod shift;
mod single_sign_on;
#[cfg(test)]
mod single_sign_on_tests;
#[cfg(test)]
mod site_tests;
mod sites;
mod small_page;
mod survey_page;
mod surveys;
pub mod sync;
mod take_page;
#[cfg(test)]
mod task_tests;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unsent_tests;
mod upstreams;
mod user_scopes;
mod users;
mod viewer;
#[cfg(test)]
mod viewer_tests;
mod visits;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::get;
use axum::{Json, Router};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};

pub use access::{Access, ApiRouter};
pub use error::ApiError;

use crate::app::App;
use limits::{Gate, Side};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "linewatch",
        description = "Restoration deadlines, feedback and callbacks owed. Times are RFC 3339 in UTC. \
            Errors are problem+json with a stable `code`. Lists take `limit` (1 to 500) and `cursor`. \
            Writes take `Idempotency-Key`."
    ),
    components(schemas(error::Problem)),
    security(("token" = []), ("session" = [])),
)]
struct Info;

/// Every route of the API, each with the roles that it is for.
fn api(router: ApiRouter) -> ApiRouter {
    let router = session::routes(router);
    let router = account::routes(router);
    let router = second_factor::routes(router);
    let router = single_sign_on::routes(router);
    let router = board::routes(router);
    let router = faults::routes(router);
    let router = deadlines::routes(router);
    let router = dead_letters::routes(router);
    let router = alerts::routes(router);
    let router = alert_texts::routes(router);
    let router = channels::routes(router);
    let router = alertmanager::routes(router);
    let router = visits::routes(router);
    let router = conflicts::routes(router);
    let router = matters::routes(router);
    let router = duties::routes(router);
    let router = reports::routes(router);
    let router = assessments::routes(router);
    let router = contractors::routes(router);
    let router = acceptance::routes(router);
    let router = availability::routes(router);
    let router = people::routes(router);
    let router = users::routes(router);
    let router = user_scopes::routes(router);
    let router = enrolment::routes(router);
    let router = audit_trail::routes(router);
    let router = export::routes(router);
    let router = service_end::routes(router);
    let router = erasures::routes(router);
    let router = agreements::routes(router);
    let router = admissions::routes(router);
    let router = diary::routes(router);
    let router = risks::routes(router);
    let router = plans::routes(router);
    let router = leaks::routes(router);
    let router = surveys::routes(router);
    let router = rota::routes(router);
    let router = quality::routes(router);
    let router = calls::routes(router);
    let router = papers::routes(router);
    let router = pack_preview::routes(router);
    let router = grading::routes(router);
    let router = re_rate::routes(router);
    let router = shift::routes(router);
    let router = sites::routes(router);
    let router = equipment::routes(router);
    let router = planned_work::routes(router);
    let router = upstreams::routes(router);
    reference::routes(router)
}

/// The routers of one server.
pub struct Routers {
    /// For `http.listen`: the board, the API, health and metrics.
    pub desk: Router,
    /// For `sync.listen`: agents.
    pub sync: Router,
    /// Every API route with its roles, as declared.
    pub declared: Vec<access::Declared>,
}

impl std::fmt::Debug for Routers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Routers").field("declared", &self.declared.len()).finish_non_exhaustive()
    }
}

/// Builds the routers. Serve them with `into_make_service_with_connect_info::<Peer>()`.
#[must_use]
pub fn routers(app: &Arc<App>) -> Routers {
    let (router, declared) = api(ApiRouter::new(app, Info::openapi())).into_parts();
    let (v1, openapi) = utoipa_axum::router::OpenApiRouter::with_openapi(with_security(Info::openapi()))
        .nest("/api/v1", router)
        .split_for_parts();
    let spec = Json(openapi);
    let docs = utoipa_swagger_ui::SwaggerUi::new("/docs")
        .config(utoipa_swagger_ui::Config::from("/api/v1/openapi.json").validator_url("none"));
    let desk = Router::new()
        .merge(v1)
        .route("/api/v1/openapi.json", get(async move || spec))
        .route("/api/v1/docs", get(async || Redirect::permanent("/docs/")))
        .merge(docs)
        .merge(health::routes())
        .merge(survey_page::page())
        .merge(take_page::page())
        .fallback(assets::serve);
    let desk = finish(desk, app, Side::Desk).layer(from_fn_with_state(Arc::clone(app), limits::behind_proxy));
    Routers { desk, sync: finish(sync::routes(app), app, Side::Agents), declared }
}

fn finish(router: Router<Arc<App>>, app: &Arc<App>, side: Side) -> Router {
    let gate = Arc::new(Gate::new(app, side));
    router
        .layer(DefaultBodyLimit::max(extract::BODY_BYTES_MAX))
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::custom(observe::panicked))
        .layer(from_fn_with_state(gate, limits::limit))
        .layer(from_fn_with_state(Arc::clone(app), observe::observe))
        .with_state(Arc::clone(app))
}

fn with_security(mut openapi: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    let token =
        HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("`user token NAME`")).build();
    let cookie = ApiKey::Cookie(ApiKeyValue::new(session::COOKIE));
    let components = openapi.components.get_or_insert_default();
    components.add_security_scheme("token", SecurityScheme::Http(token));
    components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    env!("CARGO_PKG_VERSION").clone_into(&mut openapi.info.version);
    openapi
}
