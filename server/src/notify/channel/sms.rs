//! An SMS gateway that takes HTTP requests, by a template. One message is one request to one number.
//!
//! Any 2xx is success, unless the channel says what a good answer's body holds. `X-Idempotency-Key` is the same on every
//! try, for gateways that look at it.

use linewatch_shared::time::UnixMs;
use serde_json::Value;

use crate::config::{Sms, SmsForm};
use crate::notify::failure::Failure;
use crate::notify::http::ask;

/// Characters of a message: some five parts of 67.
const TEXT_CHARS_MAX: usize = 300;

pub(super) async fn send(
    client: &reqwest::Client,
    gateway: &Sms,
    number: &str,
    id: &str,
    text: &str,
    now: UnixMs,
) -> Result<(), Failure> {
    let text: String = text.chars().take(TEXT_CHARS_MAX).collect();
    let url = fill(gateway.url.reveal(), number, &text, percent);
    let (escape, content_type): (fn(&str) -> String, _) = match gateway.form {
        SmsForm::Json => (in_json, "application/json"),
        SmsForm::Urlencoded => (percent, "application/x-www-form-urlencoded"),
    };
    let body = fill(&gateway.body, number, &text, escape);
    let mut request = client.post(url).header("Content-Type", content_type).header("X-Idempotency-Key", id);
    if let Some(token) = &gateway.token {
        request = request.bearer_auth(token.reveal());
    }
    let answer = ask(request.body(body), now).await?;
    answer.by_status()?;
    let Some((pointer, good)) = &gateway.success else { return Ok(()) };
    let json = answer.json().unwrap_or_default();
    let found = match json.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => return Err(Failure::temporary(&format!("answered without {pointer}"))),
    };
    if found == *good { Ok(()) } else { Err(Failure::temporary(&format!("answered {pointer} = {found}"))) }
}

fn fill(template: &str, number: &str, text: &str, escape: fn(&str) -> String) -> String {
    // The number first: it holds digits only, the text may hold anything.
    template.replace("{number}", &escape(number)).replace("{text}", &escape(text))
}

/// As between the quotes of a JSON text.
fn in_json(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

fn percent(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}
