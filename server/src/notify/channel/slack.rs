//! A Slack incoming webhook.
//!
//! It answers 200 with the word `ok` when it took a message; 400, 403, 404 and 410 with a word that says why not; 429 with
//! `Retry-After`. It takes one message a second.

use linewatch_shared::time::UnixMs;
use serde_json::json;

use super::Words;
use crate::config::Secret;
use crate::notify::failure::Failure;
use crate::notify::http::ask;

/// Bytes of a text: Slack cuts longer ones.
const TEXT_BYTES_MAX: usize = 4_000;

pub(super) async fn send(
    client: &reqwest::Client,
    url: &Secret,
    words: &Words,
    now: UnixMs,
) -> Result<(), Failure> {
    // These three are all that Slack asks to be escaped; without them nothing mentions anybody.
    let text = words.within(TEXT_BYTES_MAX);
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let answer = ask(client.post(url.reveal()).json(&json!({ "text": text })), now).await?;
    if let Err(failure) = answer.by_status() {
        let said = answer.words();
        let reason =
            if said.is_empty() { failure.reason.clone() } else { format!("{}: {said}", failure.reason) };
        return Err(Failure { reason, ..failure });
    }
    if answer.body.trim_ascii() == b"ok" {
        return Ok(());
    }
    Err(Failure::temporary(&format!("answered {} but not \"ok\"", answer.status)))
}
