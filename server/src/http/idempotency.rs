//! `Idempotency-Key`: a write that is sent again is answered again, and not done again.
//!
//! The first answer is kept in the same transaction as what it did, so there is no moment at which
//! one exists without the other; housekeeping deletes it after a week. Refusals are not kept: nothing happened, so trying again may succeed.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::error::ApiError;
use crate::app::App;
use crate::auth::Caller;
use crate::db::{DbError, Priority, Tx};
use crate::store::idempotency::{self, Kept};

/// The longest key, in characters.
const KEY_CHARS_MAX: usize = 128;

/// The request's `Idempotency-Key`, when it has one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdempotencyKey(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Some(value) = parts.headers.get("idempotency-key") else { return Ok(Self(None)) };
        let key = value.to_str().ok().filter(|key| !key.is_empty() && key.len() <= KEY_CHARS_MAX);
        let detail = format!("Idempotency-Key must be 1 to {KEY_CHARS_MAX} printable ASCII characters");
        let key = key.ok_or_else(|| ApiError::new(StatusCode::BAD_REQUEST, "bad_idempotency_key", detail))?;
        Ok(Self(Some(key.to_owned())))
    }
}

/// What a write answers: a status and a JSON body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// 200, 201, …
    pub status: StatusCode,
    /// JSON text.
    pub body: String,
}

impl Answer {
    /// Makes an answer.
    ///
    /// # Errors
    /// When `body` has no JSON form.
    pub fn new(status: StatusCode, body: &impl Serialize) -> Result<Self, ApiError> {
        let body = serde_json::to_string(body).map_err(|e| DbError::Data(e.to_string()))?;
        Ok(Self { status, body })
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let json = [(axum::http::header::CONTENT_TYPE, "application/json")];
        (self.status, json, self.body).into_response()
    }
}

/// Runs `work` in one write transaction and answers; with a key that was used before by the same
/// caller, gives that answer instead.
///
/// # Errors
/// 422 `idempotency_mismatch` when the key came with another call or body; else what `work` returns.
pub async fn write_once<F>(
    app: &App,
    caller: &Caller,
    key: IdempotencyKey,
    body_hash: [u8; 32],
    mut work: F,
) -> Result<Answer, ApiError>
where
    F: FnMut(&mut Tx<'_>) -> Result<Answer, ApiError> + Send + 'static,
{
    let (user, now) = (caller.user.clone(), app.now());
    app.db
        .write(Priority::Api, move |tx| {
            let Some(key) = &key.0 else { return work(tx) };
            tx.lock(&[idempotency::lock_key(&user, key)])?;
            if let Some(kept) = idempotency::find(tx, &user, key)? {
                if kept.body_hash != body_hash {
                    let detail = "this Idempotency-Key was used before for another call or another body";
                    return Err(ApiError::new(
                        StatusCode::UNPROCESSABLE_ENTITY,
                        "idempotency_mismatch",
                        detail,
                    ));
                }
                let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
                return Ok(Answer { status, body: kept.answer });
            }
            let answer = work(tx)?;
            let kept = Kept { body_hash, status: answer.status.as_u16(), answer: answer.body.clone() };
            idempotency::keep(tx, &user, key, &kept, now)?;
            Ok(answer)
        })
        .await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::app::Action;
    use crate::auth::{Role, Via};
    use crate::db::testing::{both, int};
    use crate::http::testing::TestDesk;

    fn caller(user: &str) -> Caller {
        Caller {
            user: user.into(),
            role: Role::Noc,
            via: Via::Token,
            contractor: None,
            scope: crate::auth::TokenScope::Write,
            proof: String::new(),
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_write_sent_again_is_answered_and_not_done_again() {
        both(|db| async move {
            let desk = TestDesk::new(db).await;
            let runs = Arc::new(AtomicU32::new(0));
            let write = async |user: &str, key: Option<&str>, hash: u8, fail: bool| {
                let (counted, key) = (Arc::clone(&runs), IdempotencyKey(key.map(str::to_owned)));
                write_once(&desk.app, &caller(user), key, [hash; 32], move |tx| {
                    let n = counted.fetch_add(1, Ordering::SeqCst);
                    crate::app::audit(tx, 0, "test", Action::ChannelTried, &n.to_string(), None)?;
                    if fail {
                        return Err(ApiError::conflict("no", "not now"));
                    }
                    Answer::new(StatusCode::CREATED, &n)
                })
                .await
            };
            assert_eq!(write("a", Some("k"), 1, true).await.unwrap_err().code(), "no");
            let first = write("a", Some("k"), 1, false).await.unwrap();
            assert_eq!(write("a", Some("k"), 1, false).await.unwrap(), first);
            let other = write("a", Some("k"), 2, false).await.unwrap_err();
            assert_eq!((other.code(), other.status().as_u16()), ("idempotency_mismatch", 422));
            assert_ne!(write("b", Some("k"), 1, false).await.unwrap(), first);
            assert_ne!(write("a", None, 1, false).await.unwrap(), write("a", None, 1, false).await.unwrap());
            let done = "SELECT COUNT(*) FROM audit WHERE action = 'channel tried'";
            assert_eq!(int(&desk.app.db, done).await.unwrap(), 4);
            // Two at once: one does it, both get the same answer.
            let (x, y) = tokio::join!(write("a", Some("two"), 1, false), write("a", Some("two"), 1, false));
            assert_eq!(x.unwrap(), y.unwrap());
            assert_eq!(int(&desk.app.db, done).await.unwrap(), 5);
        })
        .await;
    }
}
