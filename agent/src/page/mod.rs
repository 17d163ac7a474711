//! The technician's local page: an HTTP server on loopback with the page itself, embedded, and what it calls.
//!
//! Only this machine reaches it, only under a loopback name, and what changes anything only with the session's token from
//! the page's own origin: another site in the same browser can neither read nor write here. It shares no lock and no queue
//! with the prober or the sync.

mod assets;
mod deeds;
mod diagnoses;
mod doctor;
mod drafts;
mod error;
mod extract;
mod guard;
mod lines;
mod listener;
mod photos;
mod saved;
mod session;
mod sessions;
mod state;
pub mod status;
#[cfg(test)]
mod tests;
mod work;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

pub use state::{Local, Parts};

/// The longest JSON body, in bytes.
const JSON_BYTES_MAX: usize = 1 << 20;
/// How long a call may take.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Serves until it is dropped. A port that is taken is told, and is no reason not to probe.
pub async fn serve(listen: SocketAddr, local: Arc<Local>) {
    let listener = match listener::Bounded::bind(listen).await {
        Ok(listener) => listener,
        Err(error) => {
            tracing::warn!(%listen, %error, "the local page is not served");
            return;
        }
    };
    if let Err(error) = axum::serve(listener, router(local)).await {
        tracing::warn!(%error, "the local page is served no longer");
    }
}

/// Every route, behind the guard.
fn router(local: Arc<Local>) -> Router {
    let api = Router::new()
        .route("/session", get(session::show).post(session::sign_in).delete(session::sign_out))
        .route("/work", get(work::show))
        .route("/lines/{code}/minutes", get(lines::minutes))
        .route("/lines/{code}/diagnosis", post(diagnoses::begin))
        .route("/lines/{code}/vantage", post(lines::probe_from_here))
        .route("/diagnoses/{id}", get(diagnoses::show))
        .route("/forms", get(lines::forms))
        .route("/classes", get(lines::classes))
        .route("/drafts", get(drafts::list).post(drafts::begin))
        .route("/drafts/{id}", get(drafts::show).put(drafts::save).delete(drafts::drop))
        .route("/drafts/{id}/finish", post(drafts::finish))
        .route("/drafts/{id}/photos", post(photos::add).layer(DefaultBodyLimit::max(photos::PHOTO_BYTES_MAX)))
        .route("/drafts/{id}/photos/{sha256}", get(photos::of_draft).delete(photos::remove))
        .route("/parts/{sha256}", get(photos::of_report))
        .route("/saved", get(saved::list))
        .route("/visits/{id}", get(saved::visit))
        .route("/faults", post(deeds::report))
        .route("/faults/{fault}/steps", post(deeds::step))
        .route("/matters", post(deeds::open))
        .route("/matters/{matter}/steps", post(deeds::deed))
        .route("/sync", post(work::sync))
        .route("/doctor", get(doctor::show))
        .fallback(async || error::Problem::not_found("there is no such call"));
    Router::new()
        .route("/status", get(status::show))
        .nest("/api", api)
        .fallback(assets::serve)
        .layer(DefaultBodyLimit::max(JSON_BYTES_MAX))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&local), guard::guard))
        .layer(axum::middleware::from_fn(guard::in_time))
        .with_state(local)
}
