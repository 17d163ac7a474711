//! `/healthz`, `/readyz` and `/metrics`: for machines that watch this one.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde_json::json;

use crate::app::App;

/// A database that takes longer counts as away: whoever asks wants to know it now.
const DB_ANSWERS_WITHIN: Duration = Duration::from_secs(2);
/// Upper bounds of the latency buckets, in seconds.
const LATENCY_BUCKETS_S: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(exposition))
}

/// Installs the metrics recorder, once for each process.
pub fn install_metrics() {
    RECORDER.get_or_init(|| {
        let buckets = Matcher::Suffix("_seconds".to_owned());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(buckets, &LATENCY_BUCKETS_S).ok()?;
        let handle = builder.install_recorder().ok()?;
        describe();
        Some(handle)
    });
}

/// Folds what was measured since the last call; call it every few seconds.
pub fn metrics_upkeep() {
    if let Some(handle) = RECORDER.get().and_then(Option::as_ref) {
        handle.run_upkeep();
    }
}

fn describe() {
    describe_counter!("linewatch_http_requests_total", "Requests by route template, method and status.");
    describe_histogram!(
        "linewatch_http_request_seconds",
        Unit::Seconds,
        "Time to the beginning of the answer, by route template."
    );
    describe_counter!("linewatch_sign_ins_total", "Sign-ins by result.");
    describe_counter!("linewatch_enrolments_total", "Enrolments of agents by result.");
    describe_gauge!("linewatch_engine_alive", "1 while the deadline engine comes round.");
    describe_gauge!("linewatch_engine_lag_seconds", "How late the deadline engine's work was last time.");
    describe_gauge!("linewatch_db_write_queue", "Transactions waiting for SQLite's writer, by priority.");
    describe_gauge!("linewatch_agents", "Agents by state.");
    describe_gauge!("linewatch_build_info", "1, with the version.");
}

async fn ready(State(app): State<Arc<App>>) -> Response {
    let db = tokio::time::timeout(DB_ANSWERS_WITHIN, app.db.is_reachable()).await == Ok(true);
    let engine = app.engine.is_alive(app.clock.as_ref());
    let status = if db && engine { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let warnings = app.packs.warnings(app.clock.now());
    let body = json!({ "ready": db && engine, "db": db, "engine": engine, "warnings": warnings });
    (status, axum::Json(body)).into_response()
}

async fn exposition(State(app): State<Arc<App>>) -> Response {
    let alive = app.engine.is_alive(app.clock.as_ref());
    metrics::gauge!("linewatch_engine_alive").set(f64::from(u8::from(alive)));
    metrics::gauge!("linewatch_engine_lag_seconds").set(app.engine.lag_ms() as f64 / 1000.0);
    metrics::gauge!("linewatch_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    for (priority, length) in ["engine", "api", "ingest"].into_iter().zip(app.db.queue_lengths()) {
        metrics::gauge!("linewatch_db_write_queue", "priority" => priority).set(length as f64);
    }
    if let Ok(states) = crate::app::agents::count_by_state(&app.db).await {
        for (state, count) in states {
            metrics::gauge!("linewatch_agents", "state" => state).set(count as f64);
        }
    }
    let text = RECORDER.get().and_then(Option::as_ref).map(PrometheusHandle::render).unwrap_or_default();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
