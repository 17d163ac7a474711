//! What delivery needs to know of the configuration.

use std::path::PathBuf;

use crate::config::{AlertLang, Secret, Settings, SmtpTls};

/// The name of the URL of `[webhook]`: the `destination` of its outbox rows.
pub const WEBHOOK_NAME: &str = "webhook";

/// The mail server and how to reach it.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// Name or address of the server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The sender: an address, or a name and an address in angle brackets.
    pub from: String,
    /// How the connection is encrypted.
    pub tls: SmtpTls,
    /// Signs in when there is a password too.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
    /// PEM file of the authorities to trust in place of the system's.
    pub ca_file: Option<PathBuf>,
}

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
    pub mail: Option<MailSettings>,
    /// URLs by name.
    pub webhooks: Vec<WebhookSettings>,
    /// The language, or both.
    pub lang: AlertLang,
}

impl From<&Settings> for NotifySettings {
    fn from(settings: &Settings) -> Self {
        let mail = settings.smtp.as_ref().map(|smtp| MailSettings {
            host: smtp.host.clone(),
            port: smtp.port,
            from: smtp.from.clone(),
            tls: smtp.tls,
            user: smtp.user.clone(),
            password: smtp.password.clone(),
            ca_file: smtp.ca_file.clone(),
        });
        let webhooks = settings.webhook.iter().map(|webhook| WebhookSettings {
            name: WEBHOOK_NAME.to_owned(),
            url: webhook.url.clone(),
            secret: webhook.secret.clone(),
        });
        Self { mail, webhooks: webhooks.collect(), lang: settings.alert_lang }
    }
}
