//! What an ID token has to be, as OpenID Connect Core 1.0 §3.1.3.7 has it.

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use linewatch_shared::time::UnixMs;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;

/// By how much the provider's clock may differ, in seconds.
const SKEW_S: i64 = 60;
/// Signatures that only the provider can make: none that a shared secret makes, and never none.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// What a token has to say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
}

/// What is wrong with a token.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Wrong {
    /// It may be a new one.
    #[error("the token's key is none of the provider's")]
    Key,
    #[error("the token's signature is wrong, or of a kind that is not accepted")]
    Signature,
    #[error("the token is not for this sign-in: its {0} is another one")]
    Claim(&'static str),
    #[error("the token is over, or not yet valid; do the clocks agree?")]
    Time,
}

/// The claims of a token that the provider made for this sign-in.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check(
    token: &str,
    keys: &[Jwk],
    expected: &Expected<'_>,
    now: UnixMs,
) -> Result<Map<String, Value>, Wrong> {
    let claims = signed(token, keys)?;
    let text = |claim: &str| claims.get(claim).and_then(Value::as_str);
    if text("iss") != Some(expected.issuer) {
        return Err(Wrong::Claim("issuer"));
    }
    if !is_for(&claims, expected.client_id) {
        return Err(Wrong::Claim("audience"));
    }
    let nonce = text("nonce").unwrap_or_default();
    if !bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
        return Err(Wrong::Claim("nonce"));
    }
    if text("sub").is_none_or(str::is_empty) {
        return Err(Wrong::Claim("subject"));
    }
    let seconds = |claim: &str| claims.get(claim).and_then(Value::as_f64);
    let (now_s, skew_s) = (now.0 as f64 / 1_000.0, SKEW_S as f64);
    let is_over = seconds("exp").is_none_or(|at| at + skew_s <= now_s);
    let is_early = ["nbf", "iat"].into_iter().filter_map(seconds).any(|at| at > now_s + skew_s);
    if is_over || is_early {
        return Err(Wrong::Time);
    }
    Ok(claims)
}

/// For this client, and where it is for others too, made for this one.
fn is_for(claims: &Map<String, Value>, client_id: &str) -> bool {
    let (is_in, others) = match claims.get("aud") {
        Some(Value::String(one)) => (one == client_id, false),
        Some(Value::Array(all)) => (all.iter().any(|one| one == client_id), all.len() > 1),
        _ => (false, false),
    };
    is_in && claims.get("azp").map_or(!others, |party| party == client_id)
}

fn signed(token: &str, keys: &[Jwk]) -> Result<Map<String, Value>, Wrong> {
    let header = jsonwebtoken::decode_header(token).map_err(|_| Wrong::Signature)?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(Wrong::Signature);
    }
    let mut rules = Validation::new(header.alg);
    // What the claims have to be is looked at in `check`, by the time that it is given.
    (rules.validate_exp, rules.validate_aud) = (false, false);
    rules.required_spec_claims.clear();
    let mut wrong = Wrong::Key;
    for key in keys.iter().filter(|key| may_be(key, header.kid.as_deref())) {
        let Ok(key) = DecodingKey::from_jwk(key) else { continue };
        match jsonwebtoken::decode(token, &key, &rules) {
            Ok(token) => return Ok(token.claims),
            // A token without a key's name may be of any of them.
            Err(e) if matches!(e.kind(), ErrorKind::InvalidAlgorithm) => {}
            Err(_) => wrong = Wrong::Signature,
        }
    }
    Err(wrong)
}

fn may_be(key: &Jwk, named: Option<&str>) -> bool {
    let is_for_signatures =
        key.common.public_key_use.as_ref().is_none_or(|it| *it == PublicKeyUse::Signature);
    is_for_signatures && named.is_none_or(|name| key.common.key_id.as_deref() == Some(name))
}
