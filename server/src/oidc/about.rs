//! What is asked of a provider: what it says of itself, a token for a code, and what it knows of somebody.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::Jwk;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Certificate, RequestBuilder, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::OidcError;
use crate::app::AppError;
use crate::config::{Oidc, is_safe_address};
use crate::notify::http::{self, reason_of};
use crate::notify::text;

/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// Keys of a provider that are looked at.
const KEYS_MAX: usize = 100;
/// Characters of a provider's own words that are kept.
const WORDS_CHARS_MAX: usize = 100;

/// What a provider says of itself.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub(super) authorization: Url,
    token: Url,
    pub(super) userinfo: Option<Url>,
    pub(super) keys: Vec<Jwk>,
    /// Whether it names itself to the browser with each code.
    pub(super) says_issuer: bool,
    /// Whether the secret goes into the body, for a provider that takes it nowhere else.
    secret_in_body: bool,
}

/// `/.well-known/openid-configuration`, as OpenID Connect Discovery 1.0 has it.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: Option<String>,
    jwks_uri: String,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<Value>,
}

/// What a code was good for.
#[derive(Deserialize)]
pub(super) struct Tokens {
    pub(super) id_token: String,
    pub(super) access_token: String,
}

/// What went wrong, as OAuth has it.
#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    error: String,
}

/// Asks, within bounds.
pub(super) struct Asking(reqwest::Client);

impl Asking {
    pub(super) fn new(ca_file: Option<&Path>) -> Result<Self, AppError> {
        let wrong = |e: reqwest::Error| AppError::Certificate(format!("single sign-on: {e}"));
        let client = match ca_file {
            None => http::builder().build(),
            Some(path) => {
                let failed = |source| AppError::File { path: path.to_owned(), source };
                let pem = std::fs::read(path).map_err(failed)?;
                let trusted = Certificate::from_pem_bundle(&pem).map_err(wrong)?;
                http::builder().tls_certs_only(trusted).build()
            }
        };
        client.map(Self).map_err(wrong)
    }

    pub(super) async fn about(&self, issuer: &str) -> Result<About, OidcError> {
        let place = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let metadata: Metadata = self.read(self.0.get(place), "what it says of itself").await?;
        if metadata.issuer != issuer {
            return Err(OidcError::Unusable(format!(
                "it calls itself \"{}\", and auth.oidc.issuer says \"{issuer}\"",
                words(&metadata.issuer)
            )));
        }
        let keys: Keys = self.read(self.0.get(address(&metadata.jwks_uri)?), "its keys").await?;
        // Keys of kinds that nobody knows yet keep nobody from using the others.
        let keys = keys.keys.into_iter().take(KEYS_MAX).filter_map(|key| serde_json::from_value(key).ok());
        let methods = metadata.token_endpoint_auth_methods_supported.unwrap_or_default();
        let takes = |method: &str| methods.iter().any(|known| known == method);
        Ok(About {
            authorization: address(&metadata.authorization_endpoint)?,
            token: address(&metadata.token_endpoint)?,
            userinfo: metadata.userinfo_endpoint.as_deref().map(address).transpose()?,
            keys: keys.collect(),
            says_issuer: metadata.authorization_response_iss_parameter_supported,
            secret_in_body: takes("client_secret_post") && !takes("client_secret_basic"),
        })
    }

    pub(super) async fn token(
        &self,
        about: &About,
        rules: &Oidc,
        form: &[(&str, &str)],
    ) -> Result<Tokens, OidcError> {
        let mut form = form.to_vec();
        let mut request = self.0.post(about.token.clone());
        match &rules.client_secret {
            Some(secret) if !about.secret_in_body => {
                let [name, secret] = [rules.client_id.as_str(), secret.reveal()].map(escaped);
                let both = STANDARD.encode(format!("{name}:{secret}"));
                request = request.header(AUTHORIZATION, format!("Basic {both}"));
            }
            secret => {
                form.push(("client_id", &rules.client_id));
                form.extend(secret.iter().map(|secret| ("client_secret", secret.reveal())));
            }
        }
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
        self.read(request, "a token for the code").await
    }

    pub(super) async fn user_info(
        &self,
        endpoint: &Url,
        token: &str,
    ) -> Result<Map<String, Value>, OidcError> {
        self.read(self.0.get(endpoint.clone()).bearer_auth(token), "what it knows of the user").await
    }

    async fn read<T: DeserializeOwned>(&self, request: RequestBuilder, what: &str) -> Result<T, OidcError> {
        let unusable = |reason: String| OidcError::Unusable(format!("{what}: {reason}"));
        let sent = request.header(ACCEPT, "application/json").send().await;
        let mut answer = sent.map_err(|e| unusable(reason_of(e)))?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|e| unusable(reason_of(e)))? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(unusable(format!("is longer than {ANSWER_BYTES_MAX} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        let status = answer.status();
        if status != StatusCode::OK {
            let said: Refusal = serde_json::from_slice(&body).unwrap_or_default();
            let reason = format!("answered {} {}", status.as_u16(), words(&said.error));
            // The code was used, is too old, or was never given.
            let is_ours = said.error != "invalid_grant";
            return Err(if is_ours { unusable(reason) } else { OidcError::Unproved(reason) });
        }
        serde_json::from_slice(&body).map_err(|e| unusable(fault_of(&e)))
    }
}

fn address(text: &str) -> Result<Url, OidcError> {
    let url = if is_safe_address(text) { Url::parse(text).ok() } else { None };
    url.ok_or_else(|| OidcError::Unusable(format!("its address \"{}\" is not https", words(text))))
}

/// As forms escape it: a colon within a name would end it.
fn escaped(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn words(text: &str) -> String {
    text::clean(text, WORDS_CHARS_MAX)
}

/// What is wrong with an answer. Other texts of the reader quote it, and it may hold a token or somebody's name.
fn fault_of(e: &serde_json::Error) -> String {
    let text = e.to_string();
    let is_ours = text.starts_with("missing field");
    if is_ours { text } else { format!("is not as it should be at line {} column {}", e.line(), e.column()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_an_answer_is_told_without_quoting_it() {
        let fault = |text: &str| fault_of(&serde_json::from_str::<Tokens>(text).err().unwrap());
        assert!(fault(r#"{ "access_token": "quoted" }"#).contains("id_token"));
        for answer in [r#"{ "id_token": ["quoted"] }"#, r#""quoted""#, r#"{ "id_token": "quoted" "#] {
            assert!(!fault(answer).contains("quoted"), "{}", fault(answer));
        }
    }
}
