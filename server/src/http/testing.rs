//! Calls the API of an application that has a database but no sockets. For tests only.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::body::Bytes;
use axum::extract::ConnectInfo;
use axum::extract::connect_info::MockConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use linewatch_shared::facts::{Lane, Record};
use linewatch_shared::time::{ManualClock, UnixMs};
use linewatch_shared::wire::{self, Batch, Chain, Envelope, GENERATION_HEADER, Generation, PushAnswer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use uuid::Uuid;

use super::access::Declared;
use super::audited::AUDITED;
use super::routers;
use crate::app::{App, AppError, agents};
use crate::auth::{Role, TokenScope, credential};
use crate::boot::assemble;
use crate::config::Settings;
use crate::db::{Db, DbError, Priority};
use crate::store::agent_certificates::{self, Signed};
use crate::store::{self, api_tokens::TokenRow, audit};
use crate::tls::{Peer, Shown};

/// When test desks begin.
pub const START: UnixMs = UnixMs(1_790_000_000_000);

/// An application with one user for each role, called like it.
#[derive(Debug)]
pub struct TestDesk {
    /// The application.
    pub app: Arc<App>,
    /// Its clock, which only the test moves.
    pub clock: Arc<ManualClock>,
    /// Every route with its roles.
    pub declared: Vec<Declared>,
    router: Router,
    agents: Router,
    tokens: Vec<(Role, String)>,
    /// Routes that were seen to leave something in the trail.
    left: Mutex<BTreeSet<&'static str>>,
    _folder: tempfile::TempDir,
}

/// What a call was answered.
#[derive(Debug)]
pub struct TestAnswer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub bytes: Bytes,
    /// The body as text.
    pub text: String,
    /// The body as JSON; null when it is not.
    pub json: Value,
}

impl TestDesk {
    /// Sets up an application on `db`.
    ///
    /// # Panics
    /// When that fails.
    pub async fn new(db: Db) -> Self {
        Self::at(db, "http://desk.test").await
    }

    /// Like [`TestDesk::new`], for a server that people reach at `base`.
    ///
    /// # Panics
    /// When that fails.
    pub async fn at(db: Db, base: &str) -> Self {
        Self::with(db, base, "").await
    }

    /// Like [`TestDesk::at`], with further settings.
    ///
    /// # Panics
    /// When that fails.
    pub async fn with(db: Db, base: &str, settings: &str) -> Self {
        let folder = must(tempfile::tempdir());
        let text = format!("data_dir = '{}'\n{settings}", folder.path().display());
        // Most tests are not about who sees what.
        let all = ("LINEWATCH_AUTH__SCOPE".to_owned(), "all".to_owned());
        let environment = if settings.contains("scope =") { Vec::new() } else { vec![all] };
        let settings = match Settings::parse(&text, "test.toml", environment) {
            Ok(settings) => settings,
            Err(mistakes) => panic!("{mistakes:?}"),
        };
        let clock = Arc::new(ManualClock::at(START));
        let (shutdown, base) = (CancellationToken::new(), base.to_owned());
        let assembled = assemble(db, settings, Arc::clone(&clock) as _, shutdown, base).await;
        let app = Arc::new(must(assembled));
        let peer = Peer { address: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)), certificate: None };
        let built = routers(&app);
        let router = built.desk.layer(MockConnectInfo(peer));
        let agents = built.sync;
        let mut tokens = Vec::new();
        for role in Role::ALL {
            add_user(&app.db, role).await;
            tokens.push((role, add_token(&app.db, role).await));
        }
        Self {
            app,
            clock,
            declared: built.declared,
            router,
            agents,
            tokens,
            left: Mutex::default(),
            _folder: folder,
        }
    }

    /// The API token of the user with that role.
    pub fn token(&self, role: Role) -> &str {
        self.tokens.iter().find(|(of, _)| *of == role).map_or("", |(_, token)| token)
    }

    /// Calls with a role's token, or without any.
    pub async fn call(
        &self,
        role: Option<Role>,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> TestAnswer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(role) = role {
            request = request.header("authorization", format!("Bearer {}", self.token(role)));
        }
        let body = match body {
            Some(json) => {
                request = request.header("content-type", "application/json");
                Body::from(json.to_string())
            }
            None => Body::empty(),
        };
        self.send(must(request.body(body))).await
    }

    /// Sends any request. One that writes for the first time by its route has to leave in the audit trail what [`AUDITED`] says.
    ///
    /// # Panics
    /// When it does not.
    pub async fn send(&self, request: Request<Body>) -> TestAnswer {
        let route = self.route_of(request.method(), request.uri().path());
        let before = self.trail_end().await;
        let answer = answered(self.router.clone(), request).await;
        let listed = AUDITED.iter().find(|(listed, _)| route.as_deref() == Some(*listed));
        if let Some((route, actions)) = listed
            && answer.status.is_success()
            // What goes on with a second step is in the trail after that.
            && answer.status != StatusCode::ACCEPTED
            // A dry run names nothing that it made.
            && !answer.json.get("id").is_some_and(Value::is_null)
            && self.left.lock().unwrap_or_else(PoisonError::into_inner).insert(route)
        {
            let written = self.app.db.read(move |tx| audit::page(tx, before, 100)).await;
            let of_these = |entry: &audit::Stored| actions.iter().any(|action| action.word() == entry.action);
            assert!(
                must(written).iter().any(of_these),
                "{route} left nothing in the audit trail: {}",
                answer.text
            );
        }
        answer
    }

    async fn trail_end(&self) -> i64 {
        must(self.app.db.read(audit::head).await).map_or(0, |(n, _)| n)
    }

    /// The declared route of a call that writes.
    fn route_of(&self, method: &Method, path: &str) -> Option<String> {
        if method.is_safe() {
            return None;
        }
        let asked: Vec<&str> = path.strip_prefix("/api/v1")?.split('/').collect();
        let fits = |template: &str| {
            let parts: Vec<&str> = template.split('/').collect();
            parts.len() == asked.len() && parts.iter().zip(&asked).all(|(p, a)| p.starts_with('{') || p == a)
        };
        let (_, template, _) = self.declared.iter().find(|(of, path, _)| of == method && fits(path))?;
        Some(format!("{} {template}", method.as_str().to_lowercase()))
    }

    /// Enrols the agent of that name, under a certificate that [`TestDesk::say`] shows.
    ///
    /// # Panics
    /// When that fails.
    pub async fn enrol(&self, agent: &str) -> Uuid {
        let (name, now) = (agent.to_owned(), self.app.now());
        let enrolled: Result<Uuid, AppError> = self
            .app
            .db
            .write(Priority::Api, move |tx| {
                let id = agents::ensure(tx, &name, now)?;
                let shown = certificate(&name);
                let signed = Signed {
                    fingerprint: shown.fingerprint,
                    key: shown.key,
                    authority: [0; 32],
                    expires_at: shown.ends_at,
                };
                agent_certificates::remove_others(tx, id, signed.fingerprint)?;
                if agent_certificates::find(tx, signed.fingerprint)?.is_none() {
                    agent_certificates::insert(tx, id, &signed, None, now)?;
                }
                agent_certificates::confirm(tx, signed.fingerprint, signed.key, now)?;
                store::agents::let_in(tx, id, now)?;
                Ok(id)
            })
            .await;
        must(enrolled)
    }

    /// Sends a message as the agent of that name.
    ///
    /// # Panics
    /// When it cannot be written.
    pub async fn say(&self, agent: &str, path: &str, message: &impl Serialize) -> TestAnswer {
        self.post_as(agent, path, must(wire::encode(message))).await
    }

    async fn post_as(&self, agent: &str, path: &str, body: Vec<u8>) -> TestAnswer {
        self.post_showing(agent, path, body, None).await
    }

    /// Posts as the agent of that name, showing a generation.
    ///
    /// # Panics
    /// When the request cannot be made.
    pub async fn post_showing(
        &self,
        agent: &str,
        path: &str,
        body: Vec<u8>,
        newest: Option<&Generation>,
    ) -> TestAnswer {
        let mut request = Request::post(path);
        if let Some(Generation(newest)) = newest {
            request = request.header(GENERATION_HEADER, hex::encode(newest));
        }
        let mut request = must(request.body(Body::from(body)));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let peer = Peer { address, certificate: Some(certificate(agent)) };
        request.extensions_mut().insert(ConnectInfo(peer));
        answered(self.agents.clone(), request).await
    }

    /// Pushes records as the agent of that name, as the first of a new epoch; answers how many were put aside.
    ///
    /// # Panics
    /// When they are refused.
    pub async fn push(&self, agent: &str, records: &[Record]) -> u32 {
        static EPOCH: AtomicU64 = AtomicU64::new(1_000);
        let bodies: Vec<Vec<u8>> = records.iter().map(|record| must(record.to_bytes())).collect();
        let envelope = Envelope {
            protocol: wire::PROTOCOL,
            epoch: EPOCH.fetch_add(1, Ordering::Relaxed),
            lane: records.first().map_or(Lane::Desk, |record| record.body.lane()),
            first: 1,
            chain: Chain::START,
            count: bodies.len() as u32,
        };
        let packed = must(Batch { envelope, bodies }.pack());
        self.told_bytes::<PushAnswer>(agent, "/sync/v1/push", packed).await.set_aside
    }

    /// Sends a message as the agent of that name, and reads the answer.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn told<T: DeserializeOwned>(&self, agent: &str, path: &str, message: &impl Serialize) -> T {
        self.told_bytes(agent, path, must(wire::encode(message))).await
    }

    /// The same of a message that is bytes already.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn told_bytes<T: DeserializeOwned>(&self, agent: &str, path: &str, message: Vec<u8>) -> T {
        let answer = self.post_as(agent, path, message).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        must(wire::decode(&answer.bytes))
    }
}

fn certificate(agent: &str) -> Shown {
    let fingerprint = Sha256::digest(agent.as_bytes()).into();
    Shown { fingerprint, key: fingerprint, ends_at: UnixMs(i64::MAX) }
}

async fn answered(router: Router, request: Request<Body>) -> TestAnswer {
    let response = match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = must(response.into_body().collect().await).to_bytes();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let json = serde_json::from_str(&text).unwrap_or(Value::Null);
    TestAnswer { status, headers, bytes, text, json }
}

async fn add_user(db: &Db, role: Role) {
    // Not a password hash, so nobody can sign in with it, and the test does not wait for one.
    let sql = "INSERT INTO app_user (name, role, password_hash, created_at_ms) VALUES ($1, $1, 'none', $2)";
    let added: Result<u64, DbError> =
        db.write(Priority::Api, move |tx| tx.execute(sql, &[role.name().into(), START.into()])).await;
    must(added);
}

/// An API token that lasts however far a test goes.
async fn add_token(db: &Db, role: Role) -> String {
    let (token, hash) = must(credential::fresh());
    let row = TokenRow {
        hash,
        user: role.name().to_owned(),
        label: String::new(),
        scope: TokenScope::Write,
        created_at: START,
        expires_at: None,
        used_at: None,
    };
    let added: Result<(), DbError> =
        db.write(Priority::Api, move |tx| store::api_tokens::insert(tx, &row)).await;
    must(added);
    token
}

fn must<T, E: std::fmt::Debug>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(e) => panic!("the test desk cannot be set up: {e:?}"),
    }
}
