//! DingTalk (钉钉): a group's robot.
//!
//! It answers 200 with `{"errcode":0,"errmsg":"ok"}` when it took a message. It takes 20 messages a minute and is locked
//! for ten minutes above that. A robot that asks for signatures wants
//! `&timestamp=MS&sign=BASE64(HMAC-SHA-256(secret, "MS\nsecret"))` behind its address, MS within an hour of its own time.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use linewatch_shared::time::{MINUTE_MS, UnixMs};
use serde_json::{Value, json};
use sha2::Sha256;

use super::Words;
use crate::config::Secret;
use crate::notify::failure::Failure;
use crate::notify::http::{ask, with_query};

/// Bytes of a text, below the 20,000 of a whole message.
const TEXT_BYTES_MAX: usize = 15_000;
/// For so long a robot is locked that was spoken to too often.
const LOCKED_MS: i64 = 10 * MINUTE_MS;
const TOO_OFTEN: [i64; 3] = [130_101, 410_100, 660_026];
/// "System busy".
const BUSY: i64 = -1;

pub(super) async fn send(
    client: &reqwest::Client,
    url: &Secret,
    secret: Option<&Secret>,
    words: &Words,
    now: UnixMs,
) -> Result<(), Failure> {
    let body = json!({
        "msgtype": "text",
        "text": { "content": words.within(TEXT_BYTES_MAX) },
        "at": { "isAtAll": false },
    });
    let at_ms = now.0.to_string();
    let signature = secret.map(|secret| signature(secret.reveal(), &at_ms));
    let signed = signature.as_deref().map(|sign| [("timestamp", at_ms.as_str()), ("sign", sign)]);
    let url = with_query(url.reveal(), signed.as_ref().map_or(&[], |pairs| pairs.as_slice()))?;
    let answer = ask(client.post(url).json(&body), now).await?;
    answer.by_status()?;
    let json = answer.json().unwrap_or_default();
    let Some(code) = json.get("errcode").and_then(Value::as_i64) else {
        return Err(Failure::temporary("answered without an errcode"));
    };
    let said = json.get("errmsg").and_then(Value::as_str).unwrap_or_default();
    let reason = format!("errcode {code}: {}", crate::notify::text::clean(said, 120));
    match code {
        0 => Ok(()),
        BUSY => Err(Failure::temporary(&reason)),
        code if TOO_OFTEN.contains(&code) => Err(Failure::busy(&reason, Some(LOCKED_MS))),
        // 310000: signature, keyword or address refused; 300001, 400101, 400102: no such robot, or stopped.
        _ => Err(Failure::permanent(&reason)),
    }
}

pub(super) fn signature(secret: &str, at_ms: &str) -> String {
    // A key of any length is fine for HMAC, so this cannot fail.
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map(|mut mac| {
        mac.update(format!("{at_ms}\n{secret}").as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    });
    mac.unwrap_or_default()
}
