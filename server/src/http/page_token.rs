//! The page's token: a browser sends the cookie of a session by itself, but only our own page knows this, and says it with
//! each write. It follows from the session's secret, so that it ends with it and nothing more has to be kept.

use axum::http::{HeaderMap, HeaderValue, StatusCode};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::error::ApiError;

/// The header in which the page says it.
pub(super) const HEADER: &str = "x-linewatch-token";
/// Nothing else is hashed with this before it.
const PURPOSE: &[u8] = b"linewatch page token\0";

/// The token of the session with this secret.
pub(super) fn of_session(secret: &str) -> String {
    let hash = Sha256::new().chain_update(PURPOSE).chain_update(secret.as_bytes()).finalize();
    hex::encode(hash)
}

/// Whether the page said the token of the session.
///
/// # Errors
/// 403 `page_token`.
pub(super) fn check(headers: &HeaderMap, secret: &str) -> Result<(), ApiError> {
    let said = headers.get(HEADER).map(HeaderValue::as_bytes).unwrap_or_default();
    if bool::from(said.ct_eq(of_session(secret).as_bytes())) {
        return Ok(());
    }
    let detail = "a write by cookie needs the token that GET /session tells: load the page again";
    Err(ApiError::new(StatusCode::FORBIDDEN, "page_token", detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_sessions_own_token_counts() {
        let headers = |token: &str| HeaderMap::from_iter([(HEADER.parse().unwrap(), token.parse().unwrap())]);
        let right = of_session("secret");
        check(&headers(&right), "secret").unwrap();
        for wrong in ["", "secret", &right[1..], &right.to_uppercase(), &of_session("another")] {
            assert_eq!(check(&headers(wrong), "secret").unwrap_err().code(), "page_token", "{wrong}");
        }
        assert!(check(&HeaderMap::new(), "secret").is_err());
    }
}
