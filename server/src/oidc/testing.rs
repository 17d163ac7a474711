//! A provider that says what a test makes it say.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// What the provider says next.
pub(crate) struct Says {
    pub(crate) issuer: String,
    pub(crate) claims: Value,
    pub(crate) more: Value,
    /// Which of the keys signs, and which are told of.
    pub(crate) signs: usize,
    pub(crate) tells: Vec<usize>,
    pub(crate) keys: Vec<(EncodingKey, Jwk)>,
    /// A token made by the test.
    pub(crate) token: Option<String>,
    /// The answer to a code.
    pub(crate) status: u16,
    /// The hash of the secret that has to come with the code.
    pub(crate) challenge: String,
}

type Shared = Arc<Mutex<Says>>;

/// A provider at a port of this machine.
pub(crate) struct Provider {
    pub(crate) issuer: String,
    pub(crate) says: Shared,
}

fn key(name: &str) -> (EncodingKey, Jwk) {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    let key = EncodingKey::from_ec_der(pkcs8.as_ref());
    let mut public = Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap();
    public.common.key_id = Some(name.to_owned());
    (key, public)
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let says = Says {
            issuer: issuer.clone(),
            claims: json!({}),
            more: json!({}),
            signs: 0,
            tells: vec![0],
            keys: vec![key("first"), key("second")],
            token: None,
            status: 200,
            challenge: String::new(),
        };
        let says = Arc::new(Mutex::new(says));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/me", get(me))
            .with_state(Arc::clone(&says));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { issuer, says }
    }

    pub(crate) fn say(&self, change: impl FnOnce(&mut Says)) {
        change(&mut self.says.lock().unwrap());
    }
}

async fn metadata(State(says): State<Shared>) -> Json<Value> {
    let issuer = says.lock().unwrap().issuer.clone();
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/me"),
        "jwks_uri": format!("{issuer}/keys"),
    }))
}

async fn keys(State(says): State<Shared>) -> Json<Value> {
    let says = says.lock().unwrap();
    let mut keys: Vec<Value> = says.tells.iter().map(|at| json!(says.keys[*at].1)).collect();
    // Of a kind that is not invented yet.
    keys.push(json!({ "kty": "later", "kid": "x" }));
    Json(json!({ "keys": keys }))
}

async fn token(
    State(says): State<Shared>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> (StatusCode, Json<Value>) {
    let says = says.lock().unwrap();
    // `linewatch:s%3Acret`
    assert_eq!(headers["authorization"], "Basic bGluZXdhdGNoOnMlM0FjcmV0");
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(form["code_verifier"].as_bytes()));
    let is_right = challenge == says.challenge && form["code"] == "right";
    if !is_right {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" })));
    }
    let (key, public) = &says.keys[says.signs];
    let header = Header { kid: public.common.key_id.clone(), ..Header::new(Algorithm::ES256) };
    let made = || jsonwebtoken::encode(&header, &says.claims, key).unwrap();
    let id_token = says.token.clone().unwrap_or_else(made);
    let status = StatusCode::from_u16(says.status).unwrap();
    (status, Json(json!({ "id_token": id_token, "access_token": "opens", "token_type": "Bearer" })))
}

async fn me(State(says): State<Shared>, headers: HeaderMap) -> Json<Value> {
    assert_eq!(headers["authorization"], "Bearer opens");
    Json(says.lock().unwrap().more.clone())
}
