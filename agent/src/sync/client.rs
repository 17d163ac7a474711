//! The calls over HTTPS.

use std::error::Error as _;
use std::time::Duration;

use linewatch_shared::wire::{
    self, CONTENT_TYPE, Challenge, Challenged, Chunk, ChunkAnswer, Enroll, Enrolled, GENERATION_HEADER,
    Heartbeat, HeartbeatAnswer, Hello, HelloAnswer, MESSAGE_BYTES_MAX, Parts, PartsAnswer, Prove, Pull,
    PullPage, PushAnswer, Renew, Renewed, Tasks, TasksAnswer,
};
use reqwest::header::{CONTENT_TYPE as CONTENT_TYPE_HEADER, RETRY_AFTER};
use rustls::ClientConfig;
use serde::de::DeserializeOwned;

use super::home::Home;
use super::transport::{CallError, Transport};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The whole call: long enough for a batch over a slow radio link.
const CALL_TIMEOUT: Duration = Duration::from_mins(2);
/// Silence in the middle of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(45);
/// How long something sent may wait for the other end to have it; shorter than the time that the server gives to what is
/// still under way.
const UNDER_WAY_AT_MOST: Duration = Duration::from_secs(20);
/// What is read of an error answer, in bytes.
const PROBLEM_BYTES_MAX: usize = 16 << 10;
/// The longest `Retry-After` that is obeyed, in milliseconds.
const RETRY_AFTER_MS_MAX: i64 = 3_600_000;

/// A server, reached over TLS.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    home: Option<Home>,
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

impl Client {
    /// For `https://host:port`.
    ///
    /// # Errors
    /// When the client cannot be set up.
    pub fn new(base: &str, tls: ClientConfig) -> Result<Self, CallError> {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(CALL_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .pool_max_idle_per_host(1)
            // What was given up is not delivered long after: a request would show a generation that is long over.
            .tcp_user_timeout(UNDER_WAY_AT_MOST)
            .tcp_keepalive(Duration::from_secs(30))
            .user_agent(concat!("linewatch-agent/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| CallError::Unreachable(chain(&error)))?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned(), home: None })
    }

    /// The same, showing what the agent keeps at home, and keeping there what the server says to it.
    #[must_use]
    pub fn at(self, home: Home) -> Self {
        Self { home: Some(home), ..self }
    }

    fn shown(&self, request: reqwest::RequestBuilder) -> Result<reqwest::RequestBuilder, CallError> {
        let newest = self.home.as_ref().map_or(Ok(None), Home::newest);
        let newest =
            newest.map_err(|error| CallError::Unreachable(format!("the generation file: {error}")))?;
        Ok(match newest {
            Some(newest) => request.header(GENERATION_HEADER, hex::encode(newest)),
            None => request,
        })
    }

    /// `POST /sync/v1/enroll`
    ///
    /// # Errors
    /// When the server is not reached, or refuses.
    pub async fn enroll(&self, enroll: &Enroll) -> Result<Enrolled, CallError> {
        self.message("enroll", enroll).await
    }

    /// `POST /sync/v1/renew`
    ///
    /// # Errors
    /// When the server is not reached, or refuses.
    pub async fn renew(&self, renew: &Renew) -> Result<Renewed, CallError> {
        self.message("renew", renew).await
    }

    /// `POST /sync/v1/challenge`
    ///
    /// # Errors
    /// When the server is not reached, or refuses.
    pub async fn challenge(&self, challenge: &Challenge) -> Result<Challenged, CallError> {
        self.message("challenge", challenge).await
    }

    /// `POST /sync/v1/prove`
    ///
    /// # Errors
    /// When the server is not reached, or refuses.
    pub async fn prove(&self, prove: &Prove) -> Result<Renewed, CallError> {
        self.message("prove", prove).await
    }

    /// `GET /sync/v1/whoami`: shows the certificate.
    ///
    /// # Errors
    /// When the server is not reached, or refuses.
    pub async fn whoami(&self) -> Result<(), CallError> {
        let sent = self.shown(self.http.get(format!("{}/sync/v1/whoami", self.base)))?.send().await;
        let answer = sent.map_err(|error| unreachable_of(&error))?;
        if answer.status().is_success() { Ok(()) } else { Err(problem(answer).await) }
    }

    async fn message<Q: serde::Serialize, A: DeserializeOwned>(
        &self,
        call: &str,
        question: &Q,
    ) -> Result<A, CallError> {
        let body = wire::encode(question).map_err(|error| CallError::Unreachable(error.to_string()))?;
        self.post(call, body).await
    }

    async fn post<A: DeserializeOwned>(&self, call: &str, body: Vec<u8>) -> Result<A, CallError> {
        let sent = self
            .shown(self.http.post(format!("{}/sync/v1/{call}", self.base)))?
            .header(CONTENT_TYPE_HEADER, CONTENT_TYPE)
            .body(body)
            .send()
            .await;
        let answer = sent.map_err(|error| unreachable_of(&error))?;
        if !answer.status().is_success() {
            return Err(problem(answer).await);
        }
        let bytes = read(answer, MESSAGE_BYTES_MAX).await?;
        wire::decode(&bytes).map_err(|error| CallError::Unreachable(format!("the answer: {error}")))
    }
}

fn unreachable_of(error: &reqwest::Error) -> CallError {
    let cause = error.source().map_or_else(|| error.to_string(), chain);
    CallError::Unreachable(if error.is_timeout() {
        format!("no answer in time ({cause})")
    } else if error.is_connect() {
        format!("cannot connect ({cause})")
    } else {
        cause
    })
}

async fn read(mut answer: reqwest::Response, most: usize) -> Result<Vec<u8>, CallError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| unreachable_of(&error))? {
        if bytes.len() + chunk.len() > most {
            return Err(CallError::Unreachable(format!("the answer is longer than {most} bytes")));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Reads an error answer. Its code counts only in `application/problem+json`.
async fn problem(answer: reqwest::Response) -> CallError {
    let status = answer.status().as_u16();
    let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
    let retry_after_ms = header(RETRY_AFTER)
        .and_then(|value| value.trim().parse::<i64>().ok())
        .map(|seconds| seconds.max(0).saturating_mul(1_000).min(RETRY_AFTER_MS_MAX));
    let is_problem =
        header(CONTENT_TYPE_HEADER).is_some_and(|kind| kind.starts_with("application/problem+json"));
    let bytes = read(answer, PROBLEM_BYTES_MAX).await.unwrap_or_default();
    let body: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let field =
        |name: &str| body.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    let code = if is_problem { field("code") } else { String::new() };
    let detail = [field("detail"), field("title"), "no explanation".to_owned()]
        .into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or_default();
    CallError::Problem { status, code, detail, retry_after_ms }
}

impl Transport for Client {
    async fn hello(&self, hello: &Hello) -> Result<HelloAnswer, CallError> {
        let Some(home) = self.home.clone() else { return self.message("hello", hello).await };
        let hello = Hello { trusts: home.trusts(), ..hello.clone() };
        let answer: HelloAnswer = self.message("hello", &hello).await?;
        let told = answer.clone();
        drop(tokio::task::spawn_blocking(move || home.keep(&told)).await);
        Ok(answer)
    }
    async fn push(&self, packed: Vec<u8>) -> Result<PushAnswer, CallError> {
        self.post("push", packed).await
    }
    async fn pull(&self, pull: &Pull) -> Result<PullPage, CallError> {
        self.message("pull", pull).await
    }
    async fn heartbeat(&self, heartbeat: &Heartbeat) -> Result<HeartbeatAnswer, CallError> {
        self.message("heartbeat", heartbeat).await
    }
    async fn tasks(&self, tasks: &Tasks) -> Result<TasksAnswer, CallError> {
        self.message("tasks", tasks).await
    }
    async fn parts(&self, parts: &Parts) -> Result<PartsAnswer, CallError> {
        self.message("parts", parts).await
    }
    async fn chunk(&self, chunk: &Chunk) -> Result<ChunkAnswer, CallError> {
        self.message("chunk", chunk).await
    }
}
