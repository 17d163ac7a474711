//! Ways out beside mail and the plain webhook: chat robots, on-call services, an SMS gateway.
//!
//! Each service's file knows three things and nothing else: how its request looks, what of an answer's *body* means
//! success by the service's own documentation, and which refusals pass. What is common is here: the words, the bounds,
//! whom an alert is for.

mod alertmanager;
mod dingtalk;
mod feishu;
mod pagerduty;
mod slack;
mod sms;
#[cfg(test)]
mod tests;
mod way;
mod wecom;

use linewatch_shared::time::{MINUTE_MS, MonoMs, SECOND_MS, UnixMs};
use sha2::{Digest, Sha256};

use super::alert::Alert;
use super::failure::Failure;
use super::letter::Letter;
use super::lexicon::Lexicon;
use super::page::Text;
use super::plan::PER_MINUTE;
use super::settings::NotifySettings;
use super::text::{Together, Writer};
use crate::config::{AlertLang, Channel, Service};

pub use way::Way;

/// `outbox.channel` of a service.
#[must_use]
pub const fn kind(service: &Service) -> &'static str {
    match service {
        Service::WecomRobot { .. } => "wecom_robot",
        Service::WecomApp { .. } => "wecom_app",
        Service::DingtalkRobot { .. } => "dingtalk_robot",
        Service::FeishuRobot { .. } => "feishu_robot",
        Service::Slack { .. } => "slack",
        Service::Pagerduty { .. } => "pagerduty",
        Service::Alertmanager { .. } => "alertmanager",
        Service::Webhook { .. } => super::WEBHOOK,
        Service::Sms(_) => "sms",
    }
}

/// Whether there is such a service, configured or not.
#[must_use]
pub fn is_kind(channel: &str) -> bool {
    const KINDS: [&str; 8] = [
        "wecom_robot",
        "wecom_app",
        "dingtalk_robot",
        "feishu_robot",
        "slack",
        "pagerduty",
        "alertmanager",
        "sms",
    ];
    KINDS.contains(&channel)
}

/// Messages to one destination within a minute, by the service's documentation where it says; above it they are put
/// together. None: no bound, each by itself.
#[must_use]
pub fn per_minute(channel: &str) -> Option<usize> {
    match channel {
        super::EMAIL | "wecom_app" | "sms" => Some(PER_MINUTE),
        // Both services lock a robot out above 20.
        "wecom_robot" | "dingtalk_robot" => Some(18),
        // 100 a minute and 5 a second.
        "feishu_robot" => Some(60),
        // One a second.
        "slack" => Some(50),
        _ => None,
    }
}

/// Alerts that go out as one message, in words.
struct Words {
    /// One line.
    title: String,
    /// All of it.
    body: String,
    /// Where to read on.
    link: Option<String>,
}

impl Words {
    /// The body, cut to so many bytes with the link kept.
    fn within(&self, bytes_max: usize) -> String {
        if self.body.len() <= bytes_max {
            return self.body.clone();
        }
        let tail = self.link.as_ref().map_or_else(|| "…".to_owned(), |link| format!("…\n{link}"));
        let mut end = bytes_max.saturating_sub(tail.len());
        while !self.body.is_char_boundary(end) {
            end -= 1;
        }
        format!("{}{tail}", &self.body[..end])
    }
}

/// The configured channels.
#[derive(Debug)]
pub struct Outlets {
    client: reqwest::Client,
    configured: Vec<(Channel, AlertLang)>,
    tokens: wecom::Tokens,
}

/// A channel, and who writes for it.
struct Outlet<'a> {
    channel: &'a Channel,
    writer: Writer,
}

impl Outlets {
    /// Connects to nothing yet.
    #[must_use]
    pub fn new(client: reqwest::Client, settings: &NotifySettings) -> Self {
        let outlet = |channel: &Channel| (channel.clone(), channel.lang.unwrap_or(settings.lang));
        let configured = settings.channels.iter().map(outlet).collect();
        Self { client, configured, tokens: wecom::Tokens::default() }
    }

    /// Hands alerts over as one message, in the words of `lexicon`: to `name`, or `name/number` for an SMS.
    ///
    /// # Errors
    /// Whether and how to try again.
    pub async fn send(
        &self,
        lexicon: &Lexicon,
        destination: &str,
        id: &str,
        letters: &[Letter],
        (now, mono): (UnixMs, MonoMs),
    ) -> Result<(), Failure> {
        let (name, receiver) = destination.split_once('/').unwrap_or((destination, ""));
        let Some((channel, lang)) = self.configured.iter().find(|(channel, _)| channel.name == name) else {
            return Err(Failure::temporary(&format!("no channel called \"{name}\" is configured")));
        };
        let outlet = Outlet { channel, writer: lexicon.writer(*lang) };
        let words = outlet.words(letters, id, now);
        let client = &self.client;
        match &channel.service {
            Service::WecomRobot { url } => wecom::robot(client, url, &words, now).await,
            Service::WecomApp { .. } => wecom::app(client, &self.tokens, channel, &words, (now, mono)).await,
            Service::DingtalkRobot { url, secret } => {
                dingtalk::send(client, url, secret.as_ref(), &words, now).await
            }
            Service::FeishuRobot { url, secret } => {
                feishu::send(client, url, secret.as_ref(), &words, now).await
            }
            Service::Slack { url } => slack::send(client, url, &words, now).await,
            Service::Pagerduty { url, routing_key } => {
                for (title, alert) in outlet.incidents(letters, now)? {
                    pagerduty::send(client, url, routing_key, &title, alert, now).await?;
                }
                Ok(())
            }
            Service::Alertmanager { url, token } => {
                alertmanager::send(client, url, token.as_ref(), &outlet.incidents(letters, now)?, now).await
            }
            Service::Sms(gateway) => sms::send(client, gateway, receiver, id, &words.title, now).await,
            Service::Webhook { .. } => Err(Failure::permanent("a webhook is posted to as such")),
        }
    }
}

impl Outlet<'_> {
    fn words(&self, letters: &[Letter], id: &str, now: UnixMs) -> Words {
        let text = match letters {
            [letter] => self.writer.letter(letter, now),
            many => {
                let limit = per_minute(kind(&self.channel.service)).unwrap_or(PER_MINUTE);
                self.writer.digest(many, Together::by_id(id, limit), now)
            }
        };
        let link = letters.first().map(|letter| match letter {
            Letter::Alert(alert) => alert.link.clone(),
            Letter::Day(day) => day.link.clone(),
        });
        let body = chat_form(&text);
        Words { title: text.subject, body, link: link.filter(|link| !link.is_empty()) }
    }

    /// Each alert with its title, for services that keep incidents.
    fn incidents<'l>(&self, letters: &'l [Letter], now: UnixMs) -> Result<Vec<(String, &'l Alert)>, Failure> {
        let incident = |letter: &'l Letter| match letter {
            Letter::Alert(alert) => {
                Ok((self.words(std::slice::from_ref(letter), "", now).title, alert.as_ref()))
            }
            Letter::Day(_) => Err(Failure::permanent("the day's list is no incident")),
        };
        letters.iter().map(incident).collect()
    }
}

/// A text as chats show it; each service cuts it to what it takes.
#[must_use]
pub fn chat_form(text: &Text) -> String {
    format!("{}\n\n{}", text.subject, text.plain.trim_end())
}

/// The moment until which a message should wait because the service is crowded. Feishu asks its users to keep clear
/// of the full and the half hour; each message waits for a moment of its own.
#[must_use]
pub fn crowded_until(channel: &str, message_id: &str, now: UnixMs) -> Option<UnixMs> {
    const CROWDED_MS: i64 = 15 * SECOND_MS;
    const SPREAD_MS: u64 = 15_000;
    if channel != "feishu_robot" {
        return None;
    }
    let into_ms = now.0.rem_euclid(30 * MINUTE_MS);
    if into_ms >= CROWDED_MS {
        return None;
    }
    let digest = Sha256::digest(message_id);
    let spread = u64::from(u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])) % SPREAD_MS;
    Some(UnixMs(now.0 - into_ms + CROWDED_MS + i64::try_from(spread).unwrap_or(0)))
}
