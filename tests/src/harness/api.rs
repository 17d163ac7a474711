//! The HTTP API, as a script would use it.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use super::block_on;

/// How long one call may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A client with one user's token.
#[derive(Clone)]
pub struct Api {
    http: reqwest::Client,
    base: String,
    token: String,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body as JSON; null where it is none.
    pub body: Value,
}

impl Answer {
    /// The body of an answer with this status.
    ///
    /// # Errors
    /// When the status is another.
    pub fn expect(self, status: u16) -> Result<Value> {
        if self.status == status {
            return Ok(self.body);
        }
        bail!("status {} instead of {status}: {}", self.status, self.body)
    }
}

impl Api {
    /// For `http://host:port`, with a token; without one where it is empty.
    ///
    /// # Errors
    /// When the client cannot be set up.
    pub fn new(base: &str, token: &str) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build()?;
        Ok(Self { http, base: base.to_owned(), token: token.to_owned() })
    }

    /// Reads a path such as `/api/v1/board`.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn get(&self, path: &str) -> Result<Answer> {
        self.call(self.http.get(format!("{}{path}", self.base)), path)
    }

    /// Reads a path as text, such as `/metrics`.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn text(&self, path: &str) -> Result<String> {
        let request = self.http.get(format!("{}{path}", self.base));
        block_on(async { Ok(request.send().await?.error_for_status()?.text().await?) })
    }

    /// Writes JSON to a path.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.call(self.http.post(format!("{}{path}", self.base)).json(body), path)
    }

    /// Writes any bytes to a path, as JSON by its header.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn post_bytes(&self, path: &str, body: Vec<u8>) -> Result<Answer> {
        let request = self.http.post(format!("{}{path}", self.base));
        self.call(request.header("content-type", "application/json").body(body), path)
    }

    fn call(&self, request: reqwest::RequestBuilder, path: &str) -> Result<Answer> {
        let request = if self.token.is_empty() { request } else { request.bearer_auth(&self.token) };
        block_on(async {
            let answer = request.send().await.with_context(|| path.to_owned())?;
            let status = answer.status().as_u16();
            let bytes = answer.bytes().await.with_context(|| path.to_owned())?;
            Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
        })
    }

    /// The board.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn board(&self) -> Result<Value> {
        self.get("/api/v1/board")?.expect(200)
    }

    /// The faults of a line on the board.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn board_faults(&self, line: &str) -> Result<Vec<Value>> {
        let board = self.board()?;
        let faults = board["faults"].as_array().cloned().ok_or_else(|| anyhow!("no faults: {board}"))?;
        Ok(faults.into_iter().filter(|fault| fault["line"] == line).collect())
    }

    /// A fault with its story.
    ///
    /// # Errors
    /// When there is none.
    pub fn fault(&self, id: &str) -> Result<Value> {
        self.get(&format!("/api/v1/faults/{id}"))?.expect(200)
    }

    /// Takes a step of a fault.
    ///
    /// # Errors
    /// When it is refused.
    pub fn step(&self, id: &str, fact: &Value) -> Result<Value> {
        self.post(&format!("/api/v1/faults/{id}/facts"), fact)?.expect(200)
    }
}
