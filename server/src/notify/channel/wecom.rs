//! WeCom (企业微信): a group's robot, and a company's app.
//!
//! Both answer 200 with `{"errcode":0,"errmsg":"ok"}` when they took a message. A robot takes 20 messages a minute and
//! 2048 bytes of text. An app needs a token, which lives for two hours and is asked for once, not for each message.

use std::collections::HashMap;

use linewatch_shared::time::{MINUTE_MS, MonoMs, SECOND_MS, UnixMs};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::Words;
use crate::config::{Channel, Secret, Service};
use crate::notify::failure::Failure;
use crate::notify::http::{Answer, ask, with_query};

/// Bytes of a text message.
const TEXT_BYTES_MAX: usize = 2048;
/// A token is asked for anew so long before it ends.
const TOKEN_MARGIN_MS: i64 = 5 * MINUTE_MS;
/// Messages of the same content within so long count once: a try that was answered too late does no harm.
const DUPLICATE_CHECK_S: u32 = 1800;
/// How long a robot is left alone after "too often".
const TOO_OFTEN_WAIT_MS: i64 = MINUTE_MS;

const TOKEN_INVALID: [i64; 3] = [40014, 41001, 42001];
const TOO_OFTEN: [i64; 2] = [45009, 45033];
/// Busy; a rate that is shared by all.
const PASSING: [i64; 2] = [-1, 45047];

/// The tokens of apps, by the channel's name.
#[derive(Debug, Default)]
pub(super) struct Tokens(Mutex<HashMap<String, Token>>);

#[derive(Clone, Debug)]
struct Token {
    text: Secret,
    until: MonoMs,
}

pub(super) async fn robot(
    client: &reqwest::Client,
    url: &Secret,
    words: &Words,
    now: UnixMs,
) -> Result<(), Failure> {
    let body = json!({ "msgtype": "text", "text": { "content": words.within(TEXT_BYTES_MAX) } });
    let answer = ask(client.post(url.reveal()).json(&body), now).await?;
    code(&answer).and_then(|(code, words)| verdict(code, &words))
}

pub(super) async fn app(
    client: &reqwest::Client,
    tokens: &Tokens,
    channel: &Channel,
    words: &Words,
    (now, mono): (UnixMs, MonoMs),
) -> Result<(), Failure> {
    let Service::WecomApp { url, agent_id, to, .. } = &channel.service else {
        return Err(Failure::permanent("is no app of WeCom"));
    };
    let body = json!({
        "touser": to, "msgtype": "text", "agentid": agent_id, "safe": 0,
        "text": { "content": words.within(TEXT_BYTES_MAX) },
        "enable_duplicate_check": 1, "duplicate_check_interval": DUPLICATE_CHECK_S,
    });
    // A token may be taken away before its time: then it is asked for once more.
    for fresh in [false, true] {
        let token = tokens.get(client, channel, fresh, (now, mono)).await?;
        let url = with_query(&format!("{url}/cgi-bin/message/send"), &[("access_token", token.reveal())])?;
        let request = client.post(url).json(&body);
        let (code, words) = code(&ask(request, now).await?)?;
        if fresh || !TOKEN_INVALID.contains(&code) {
            return verdict(code, &words);
        }
    }
    Err(Failure::temporary("its token is refused"))
}

impl Tokens {
    async fn get(
        &self,
        client: &reqwest::Client,
        channel: &Channel,
        fresh: bool,
        (now, mono): (UnixMs, MonoMs),
    ) -> Result<Secret, Failure> {
        let Service::WecomApp { url, corp_id, secret, .. } = &channel.service else {
            return Err(Failure::permanent("is no app of WeCom"));
        };
        let mut known = self.0.lock().await;
        if let Some(token) = known.get(&channel.name).filter(|token| !fresh && token.until > mono) {
            return Ok(token.text.clone());
        }
        let asked = [("corpid", corp_id.as_str()), ("corpsecret", secret.reveal())];
        let request = client.get(with_query(&format!("{url}/cgi-bin/gettoken"), &asked)?);
        let answer = ask(request, now).await?;
        let (code, words) = code(&answer)?;
        verdict(code, &words)?;
        let json = answer.json().unwrap_or_default();
        let text = json.get("access_token").and_then(Value::as_str).filter(|text| !text.is_empty());
        let text = text.ok_or_else(|| Failure::temporary("answered a request for a token without one"))?;
        let lives_ms = json.get("expires_in").and_then(Value::as_i64).unwrap_or(0).clamp(0, 7200) * SECOND_MS;
        let text = Secret::new(text.to_owned());
        let until = MonoMs(mono.0 + (lives_ms - TOKEN_MARGIN_MS).max(0));
        known.insert(channel.name.clone(), Token { text: text.clone(), until });
        Ok(text)
    }
}

/// `errcode` and `errmsg`.
fn code(answer: &Answer) -> Result<(i64, String), Failure> {
    answer.by_status()?;
    let json = answer.json().unwrap_or_default();
    let Some(code) = json.get("errcode").and_then(Value::as_i64) else {
        return Err(Failure::temporary("answered without an errcode"));
    };
    let words = json.get("errmsg").and_then(Value::as_str).unwrap_or_default();
    Ok((code, crate::notify::text::clean(words, 120)))
}

fn verdict(code: i64, words: &str) -> Result<(), Failure> {
    let reason = format!("errcode {code}: {words}");
    match code {
        0 => Ok(()),
        code if TOO_OFTEN.contains(&code) => Err(Failure::busy(&reason, Some(TOO_OFTEN_WAIT_MS))),
        code if PASSING.contains(&code) => Err(Failure::temporary(&reason)),
        _ => Err(Failure::permanent(&reason)),
    }
}
