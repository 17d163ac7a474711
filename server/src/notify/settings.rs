//! What delivery needs to know of the configuration.

use std::collections::BTreeMap;

use super::take_link::TakeLinks;
use crate::config::{AlertLang, Channel, Secret, Service, Settings, Smtp};

/// The name of the URL of `[webhook]`: the `destination` of its outbox rows.
pub const WEBHOOK_NAME: &str = "webhook";

/// One URL that gets a signed copy of alerts.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    /// The `destination` of outbox rows meant for it.
    pub name: String,
    /// Where to post.
    pub url: String,
    /// Signs the body; none leaves the signature out.
    pub secret: Option<Secret>,
}

/// Everything that [`super::Notifier`] needs to know.
#[derive(Clone, Debug)]
pub struct NotifySettings {
    /// Without it, mail waits and is given up after a day.
    pub mail: Option<Smtp>,
    /// URLs by name.
    pub webhooks: Vec<WebhookSettings>,
    /// Everything else.
    pub channels: Vec<Channel>,
    /// Names may lead to this machine or its own segment.
    pub allow_private: bool,
    /// The language, or both.
    pub lang: AlertLang,
    /// The language of single addresses.
    pub lang_of: BTreeMap<String, AlertLang>,
    /// Makes the links by which receivers take an alert; none leaves them out.
    pub take: Option<TakeLinks>,
    /// Alerts with one cause about more faults than this go to an address as one message.
    pub storm_above: usize,
}

impl From<&Settings> for NotifySettings {
    fn from(settings: &Settings) -> Self {
        let mail = settings.smtp.clone();
        let webhooks = settings.webhook.iter().map(|webhook| WebhookSettings {
            name: WEBHOOK_NAME.to_owned(),
            url: webhook.url.clone(),
            secret: webhook.secret.clone(),
        });
        let further = settings.channels.iter().filter_map(|channel| match &channel.service {
            Service::Webhook { url, secret } => {
                let (name, url, secret) = (channel.name.clone(), url.clone(), secret.clone());
                Some(WebhookSettings { name, url, secret })
            }
            _ => None,
        });
        Self {
            mail,
            webhooks: webhooks.chain(further).collect(),
            channels: settings.channels.clone(),
            allow_private: settings.allow_private,
            lang: settings.alert_lang,
            lang_of: settings.alert_lang_of.clone(),
            take: None,
            storm_above: settings.storm_above,
        }
    }
}
