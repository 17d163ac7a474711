//! `[channels.NAME]`: further ways out for alerts, beside mail and `[webhook]`.

use std::collections::BTreeMap;

use super::source::Source;
use super::{AlertLang, Secret};

/// The longest name of a channel.
const NAME_CHARS_MAX: usize = 40;
/// The most channels.
const CHANNELS_MAX: usize = 50;
/// The most numbers of one SMS channel.
const NUMBERS_MAX: usize = 20;

/// A way out for alerts.
#[derive(Clone, Debug)]
pub struct Channel {
    /// What it is called here; part of its messages' keys.
    pub name: String,
    /// Which service, and what it needs.
    pub service: Service,
    /// `lang`, by default `alerts.lang`.
    pub lang: Option<AlertLang>,
    /// `marks`: only alerts of these marks; empty: all.
    pub marks: Vec<String>,
    /// `tiers`: only alerts of these tiers or classes; empty: all.
    pub tiers: Vec<String>,
    /// `fallback`: the channel that gets what this one cannot hand over.
    pub fallback: Option<String>,
    /// `when = "fallback"`: gets only what falls back to it.
    pub only_fallback: bool,
}

/// A service, and what it needs. Addresses that hold a key are secrets.
#[derive(Clone, Debug)]
pub enum Service {
    /// A robot of a WeCom (企业微信) group.
    WecomRobot {
        /// The robot's address, with its key.
        url: Secret,
    },
    /// An app of a WeCom company.
    WecomApp {
        /// The API, by default `https://qyapi.weixin.qq.com`.
        url: String,
        /// The company.
        corp_id: String,
        /// The app.
        agent_id: i64,
        /// The app's secret.
        secret: Secret,
        /// Members, `a|b`, or `@all`.
        to: String,
    },
    /// A robot of a DingTalk (钉钉) group.
    DingtalkRobot {
        /// The robot's address, with its token.
        url: Secret,
        /// Signs, where the robot asks for it.
        secret: Option<Secret>,
    },
    /// A robot of a Feishu (飞书) group.
    FeishuRobot {
        /// The robot's address.
        url: Secret,
        /// Signs, where the robot asks for it.
        secret: Option<Secret>,
    },
    /// A Slack incoming webhook.
    Slack {
        /// Its address.
        url: Secret,
    },
    /// PagerDuty's Events API v2.
    Pagerduty {
        /// Where events go, by default `https://events.pagerduty.com/v2/enqueue`.
        url: String,
        /// The integration's key.
        routing_key: Secret,
    },
    /// A Prometheus Alertmanager.
    Alertmanager {
        /// Its address, without `/api/v2/alerts`.
        url: String,
        /// A bearer token, where a proxy asks for one.
        token: Option<Secret>,
    },
    /// A signed copy as JSON, as `[webhook]` posts it.
    Webhook {
        /// Where to post.
        url: String,
        /// Signs the body.
        secret: Option<Secret>,
    },
    /// An SMS gateway that takes HTTP requests.
    Sms(Sms),
}

/// How an SMS gateway is spoken to. `{number}` and `{text}` stand for the receiver and the words.
#[derive(Clone, Debug)]
pub struct Sms {
    /// Where to post; may hold a key.
    pub url: Secret,
    /// The body.
    pub body: String,
    /// `application/json` or `application/x-www-form-urlencoded`: how what is put in is escaped.
    pub form: SmsForm,
    /// A bearer token.
    pub token: Option<Secret>,
    /// Who gets it, each a message of its own.
    pub numbers: Vec<String>,
    /// What a good answer says: a JSON pointer and its value; none: any 2xx is good.
    pub success: Option<(String, String)>,
}

/// The form of an SMS gateway's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmsForm {
    /// JSON.
    Json,
    /// As a web form posts it.
    Urlencoded,
}

#[derive(Clone, Copy)]
enum Kind {
    WecomRobot,
    WecomApp,
    DingtalkRobot,
    FeishuRobot,
    Slack,
    Pagerduty,
    Alertmanager,
    Webhook,
    Sms,
}

const KINDS: &[(&str, Kind)] = &[
    ("wecom_robot", Kind::WecomRobot),
    ("wecom_app", Kind::WecomApp),
    ("dingtalk_robot", Kind::DingtalkRobot),
    ("feishu_robot", Kind::FeishuRobot),
    ("slack", Kind::Slack),
    ("pagerduty", Kind::Pagerduty),
    ("alertmanager", Kind::Alertmanager),
    ("webhook", Kind::Webhook),
    ("sms", Kind::Sms),
];

pub(super) fn channels(s: &mut Source) -> Vec<Channel> {
    let names = s.names_in("channels");
    if names.len() > CHANNELS_MAX {
        s.mistake("channels", &format!("has more than {CHANNELS_MAX} channels"));
        return Vec::new();
    }
    let channels: Vec<Channel> = names.iter().filter_map(|name| channel(s, name)).collect();
    check_fallbacks(s, &channels);
    channels
}

fn channel(s: &mut Source, name: &str) -> Option<Channel> {
    let key = |field: &str| format!("channels.{name}.{field}");
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if name.is_empty()
        || name.len() > NAME_CHARS_MAX
        || !name.chars().all(plain)
        || matches!(name, "email" | "webhook")
    {
        let reason = "is no name for a channel: use up to 40 of a-z, 0-9, - and _, and neither \"email\" nor \"webhook\"";
        s.mistake(&format!("channels.{name}"), reason);
    }
    let named = s.is_given(&key("kind"));
    let kind = s.choice(&key("kind"), KINDS);
    let lang = s.choice(&key("lang"), super::read::LANGS);
    let marks = s.list(&key("marks")).unwrap_or_default();
    for mark in &marks {
        let known = mark == "missed" || mark == "corrected" || mark.starts_with("warn_");
        if !known {
            s.mistake(
                &key("marks"),
                &format!("\"{mark}\" is not one of: warn_50, warn_80 (as the pack says), missed, corrected"),
            );
        }
    }
    let tiers = s.list(&key("tiers")).unwrap_or_default();
    let fallback = s.parsed(&key("fallback"), |text| Ok(text.to_owned()));
    let only_fallback = s.choice(&key("when"), &[("always", false), ("fallback", true)]).unwrap_or(false);
    let Some(kind) = kind else {
        let names: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
        if !named {
            s.mistake(&key("kind"), &format!("is missing: one of {}", names.join(", ")));
        }
        return None;
    };
    let service = service(s, kind, name)?;
    Some(Channel { name: name.to_owned(), service, lang, marks, tiers, fallback, only_fallback })
}

fn service(s: &mut Source, kind: Kind, name: &str) -> Option<Service> {
    let mut fields = Fields { s, name };
    Some(match kind {
        Kind::WecomRobot => Service::WecomRobot { url: fields.secret_url()? },
        Kind::WecomApp => {
            let url = fields.url("https://qyapi.weixin.qq.com");
            let (corp_id, to) = (fields.needed("corp_id"), fields.needed("to"));
            let agent_id = fields.needed("agent_id").and_then(|text| {
                let number = text.parse().ok();
                if number.is_none() {
                    fields.mistake("agent_id", "is not a whole number");
                }
                number
            });
            let secret = fields.needed_secret("secret");
            Service::WecomApp { url: url?, corp_id: corp_id?, agent_id: agent_id?, secret: secret?, to: to? }
        }
        Kind::DingtalkRobot => {
            let (url, secret) = (fields.secret_url(), fields.secret("secret"));
            Service::DingtalkRobot { url: url?, secret }
        }
        Kind::FeishuRobot => {
            let (url, secret) = (fields.secret_url(), fields.secret("secret"));
            Service::FeishuRobot { url: url?, secret }
        }
        Kind::Slack => Service::Slack { url: fields.secret_url()? },
        Kind::Pagerduty => {
            let url = fields.url("https://events.pagerduty.com/v2/enqueue");
            let routing_key = fields.needed_secret("routing_key");
            Service::Pagerduty { url: url?, routing_key: routing_key? }
        }
        Kind::Alertmanager => {
            let (url, token) = (fields.url(""), fields.secret("token"));
            Service::Alertmanager { url: url?, token }
        }
        Kind::Webhook => {
            let (url, secret) = (fields.url(""), fields.secret("secret"));
            Service::Webhook { url: url?, secret }
        }
        Kind::Sms => Service::Sms(sms(&mut fields)?),
    })
}

fn sms(fields: &mut Fields<'_>) -> Option<Sms> {
    let (url, body, token) = (fields.secret_url(), fields.needed("body"), fields.secret("token"));
    let forms = &[("json", SmsForm::Json), ("form", SmsForm::Urlencoded)];
    let form_key = fields.key("form");
    let form = fields.s.choice(&form_key, forms).unwrap_or(SmsForm::Json);
    let numbers_key = fields.key("numbers");
    let numbers = fields.s.list(&numbers_key).unwrap_or_default();
    let plausible = |number: &String| {
        let digits = number.strip_prefix('+').unwrap_or(number);
        (5..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
    };
    if numbers.is_empty() || numbers.len() > NUMBERS_MAX || !numbers.iter().all(plausible) {
        fields.mistake("numbers", "must be 1 to 20 numbers of 5 to 20 digits, with + in front or not");
    }
    let success = fields.optional("success");
    let success = match success.as_deref().map(|text| text.split_once('=')) {
        None => None,
        Some(Some((pointer, value))) if pointer.starts_with('/') => {
            Some((pointer.to_owned(), value.to_owned()))
        }
        Some(_) => {
            fields.mistake("success", "must be a JSON pointer and its value, such as \"/code=0\"");
            None
        }
    };
    let body = body?;
    for part in ["{number}", "{text}"] {
        if !body.contains(part) && !url.as_ref().is_some_and(|url| url.reveal().contains(part)) {
            fields.mistake("body", &format!("has no {part}, and neither has the address"));
        }
    }
    if form == SmsForm::Json && serde_json::from_str::<serde_json::Value>(&body).is_err() {
        fields.mistake("body", "is no JSON; say form = \"form\" for a web form");
    }
    Some(Sms { url: url?, body, form, token, numbers, success })
}

/// The keys of one channel.
struct Fields<'a> {
    s: &'a mut Source,
    name: &'a str,
}

impl Fields<'_> {
    fn key(&self, field: &str) -> String {
        format!("channels.{}.{field}", self.name)
    }

    fn mistake(&mut self, field: &str, reason: &str) {
        self.s.mistake(&self.key(field), reason);
    }

    fn optional(&mut self, field: &str) -> Option<String> {
        self.s.parsed(&self.key(field), super::read::not_empty)
    }

    fn needed(&mut self, field: &str) -> Option<String> {
        let found = self.optional(field);
        if found.is_none() {
            self.mistake(field, "is missing");
        }
        found
    }

    fn secret(&mut self, field: &str) -> Option<Secret> {
        self.s.secret(&self.key(field))
    }

    fn needed_secret(&mut self, field: &str) -> Option<Secret> {
        let found = self.secret(field).filter(|secret| !secret.reveal().trim().is_empty());
        if found.is_none() {
            self.mistake(field, &format!("is missing; give it, or its file as {field}_file"));
        }
        found
    }

    fn url(&mut self, default: &str) -> Option<String> {
        let found = self.s.parsed(&self.key("url"), super::read::base_url);
        if found.is_none() && default.is_empty() {
            self.mistake("url", "is missing");
            return None;
        }
        found.or_else(|| Some(default.to_owned()))
    }

    /// An address that is never shown, not even when it is wrong.
    fn secret_url(&mut self) -> Option<Secret> {
        let url = self.needed_secret("url")?;
        let begins = |scheme: &str| url.reveal().trim().starts_with(scheme);
        if begins("http://") || begins("https://") {
            return Some(Secret::new(url.reveal().trim().to_owned()));
        }
        self.mistake("url", "must begin with http:// or https://");
        None
    }
}

/// Falling back ends somewhere.
fn check_fallbacks(s: &mut Source, channels: &[Channel]) {
    let next: BTreeMap<&str, Option<&str>> =
        channels.iter().map(|channel| (channel.name.as_str(), channel.fallback.as_deref())).collect();
    for channel in channels {
        let key = format!("channels.{}.fallback", channel.name);
        let mut at = channel.fallback.as_deref();
        let mut steps = 0;
        while let Some(name) = at {
            let Some(further) = next.get(name) else {
                if steps == 0 {
                    let names: Vec<&str> = next.keys().copied().collect();
                    s.mistake(&key, &format!("there is no channel \"{name}\"; known: {}", names.join(", ")));
                }
                break;
            };
            steps += 1;
            if steps > channels.len() {
                s.mistake(&key, "goes round in a circle");
                break;
            }
            at = *further;
        }
    }
}
