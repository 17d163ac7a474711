//! Feishu (飞书): a group's robot.
//!
//! It answers `{"code":0,"msg":"success"}` (older ones also `StatusCode`) when it took a message; refusals come with 200
//! or 400. It takes 100 messages a minute, 5 a second, and 20 KB. A robot that asks for signatures wants `timestamp` (in
//! seconds) and `sign` in the body: BASE64(HMAC-SHA-256) of nothing, under the key "TIMESTAMP\nSECRET".

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use linewatch_shared::time::{SECOND_MS, UnixMs};
use serde_json::{Value, json};
use sha2::Sha256;

use super::Words;
use crate::config::Secret;
use crate::notify::failure::Failure;
use crate::notify::http::ask;

/// Bytes of a text, below the 20 KB of a whole request.
const TEXT_BYTES_MAX: usize = 12_000;
/// "Too often": by the second or the minute.
const TOO_OFTEN: [i64; 2] = [11232, 11233];
const TOO_OFTEN_WAIT_MS: i64 = 20 * SECOND_MS;
/// Bad request, no such robot, signature, address, keyword.
const FINAL: [i64; 6] = [9499, 19001, 19002, 19021, 19022, 19024];

pub(super) async fn send(
    client: &reqwest::Client,
    url: &Secret,
    secret: Option<&Secret>,
    words: &Words,
    now: UnixMs,
) -> Result<(), Failure> {
    // A text may hold `<at …>` marks: what a customer is called must not call everybody.
    let text = words.within(TEXT_BYTES_MAX).replace('<', "＜");
    let mut body = json!({ "msg_type": "text", "content": { "text": text } });
    if let Some(secret) = secret {
        let at_s = now.0.div_euclid(SECOND_MS).to_string();
        body["sign"] = signature(secret.reveal(), &at_s).into();
        body["timestamp"] = at_s.into();
    }
    let answer = ask(client.post(url.reveal()).json(&body), now).await?;
    let json = answer.json().unwrap_or_default();
    let code = ["code", "StatusCode"].iter().find_map(|name| json.get(name).and_then(Value::as_i64));
    let Some(code) = code else {
        answer.by_status()?;
        return Err(Failure::temporary("answered without a code"));
    };
    let said = json.get("msg").and_then(Value::as_str).unwrap_or_default();
    let reason = format!("code {code}: {}", crate::notify::text::clean(said, 120));
    match code {
        0 => answer.by_status(),
        code if TOO_OFTEN.contains(&code) => {
            Err(Failure::busy(&reason, answer.retry_after_ms.or(Some(TOO_OFTEN_WAIT_MS))))
        }
        code if FINAL.contains(&code) => Err(Failure::permanent(&reason)),
        _ => Err(Failure::temporary(&reason)),
    }
}

pub(super) fn signature(secret: &str, at_s: &str) -> String {
    // A key of any length is fine for HMAC, so this cannot fail.
    Hmac::<Sha256>::new_from_slice(format!("{at_s}\n{secret}").as_bytes())
        .map(|mac| STANDARD.encode(mac.finalize().into_bytes()))
        .unwrap_or_default()
}
