//! A word that somebody gives by a call without anything in its body: signed, reviewed, approved.

use std::sync::Arc;

use axum::http::StatusCode;
use linewatch_shared::time::UnixMs;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::extract::Body;
use super::idempotency::{Answer, IdempotencyKey, write_once};
use crate::app::App;
use crate::auth::Caller;
use crate::db::Tx;

/// Nothing to say.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoBody {}

/// Does `work`, which learns who gives the word and when, once; answers what it found.
///
/// # Errors
/// What `work` returns, and those of [`write_once`].
pub(super) async fn confirm<T: Serialize>(
    app: &Arc<App>,
    caller: &Caller,
    key: IdempotencyKey,
    body: Body<NoBody>,
    mut work: impl FnMut(&mut Tx<'_>, &str, UnixMs) -> Result<T, ApiError> + Send + 'static,
) -> Result<Answer, ApiError> {
    let (by, now) = (caller.user.clone(), app.now());
    write_once(app, caller, key, body.hash, move |tx| Answer::new(StatusCode::OK, &work(tx, &by, now)?)).await
}
