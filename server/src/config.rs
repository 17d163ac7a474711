//! The configuration file: TOML, every key optional, unknown keys refused.
//!
//! `LINEWATCH_SECTION__KEY` in the environment beats the file (`LINEWATCH_DATA_DIR` for a key without
//! a section; lists are separated by commas). A secret may stand in a file of its own, named by the
//! key with `_file` (`smtp.password_file`, `LINEWATCH_SMTP__PASSWORD_FILE`). Every mistake is
//! reported, each with its place, not just the first one.

mod auth;
mod channels;
mod limits;
mod oidc;
mod outgoing;
mod read;
mod source;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use linewatch_shared::rules::Mistake;

use crate::app::quality::SampleRules;
use crate::app::trail::prune::Keep;
use crate::db::DbUrl;
pub use auth::Auth;
pub use channels::{Channel, Service, Sms, SmsForm};
pub use limits::{Limits, Proxies};
pub use oidc::{Oidc, is_safe as is_safe_address};
pub use outgoing::is_private;
use source::Source;

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` out of logs from here on.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, for the one place that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

/// How mail is encrypted on its way to the mail server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// Not at all.
    None,
    /// Upgraded after connecting, or refused.
    StartTls,
    /// From the first byte.
    Tls,
}

/// `[smtp]`: how alerts go out. Without a host no mail is sent.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// `smtp.host`.
    pub host: String,
    /// `smtp.port`; by default 25, 587 or 465 as `tls` says.
    pub port: u16,
    /// `smtp.from`: the sender's address, required with a host.
    pub from: String,
    /// `smtp.tls`: `none`, `starttls` (default) or `tls`.
    pub tls: SmtpTls,
    /// `smtp.user`.
    pub user: Option<String>,
    /// `smtp.password` or `smtp.password_file`.
    pub password: Option<Secret>,
    /// `smtp.fallback`: the channel that gets what mail cannot hand over.
    pub fallback: Option<String>,
    /// `smtp.ca_file`: PEM file of the authorities to trust in place of the system's.
    pub ca_file: Option<PathBuf>,
}

/// `[webhook]`: a signed copy of every alert.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// `webhook.url`.
    pub url: String,
    /// `webhook.secret` or `webhook.secret_file`; signs the body (HMAC-SHA-256).
    pub secret: Option<Secret>,
}

/// `alerts.lang`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertLang {
    /// Chinese.
    Zh,
    /// English.
    En,
    /// Chinese, then English.
    Both,
}

/// `log.format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// `[http]`: the board and the API.
#[derive(Clone, Debug)]
pub struct Http {
    /// `http.listen`, default `127.0.0.1:8080`.
    pub listen: SocketAddr,
    /// `http.max_connections`, default 10000; more wait in the kernel.
    pub max_connections: usize,
    /// `http.trusted_proxies`: whose `X-Forwarded-For` is believed; nobody's by default.
    pub trusted_proxies: Proxies,
}

/// `[sync]`: where agents come in, always TLS.
#[derive(Clone, Debug)]
pub struct Sync {
    /// `sync.listen`, default `127.0.0.1:8443`.
    pub listen: SocketAddr,
    /// `sync.names`: further names and addresses in the server's certificate.
    pub names: Vec<String>,
    /// `sync.max_connections`, default 10000.
    pub max_connections: usize,
    /// `sync.certificate_life`, default 30 days: how long an agent's certificate is valid. It is renewed at two thirds.
    pub certificate_life_ms: i64,
}

/// Everything that can be configured.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own that is on or off")]
pub struct Settings {
    /// `data_dir`, default `/var/lib/linewatch-server`: keys, certificates, the embedded database.
    pub data_dir: PathBuf,
    /// `public_url`: what links in messages begin with; by default `http://` and the listen address.
    pub public_url: Option<String>,
    /// `[http]`.
    pub http: Http,
    /// `[sync]`.
    pub sync: Sync,
    /// `[auth]`.
    pub auth: Auth,
    /// `[limits]`.
    pub limits: Limits,
    /// `db.url`, default `sqlite:` and `linewatch.db` in `data_dir`.
    pub db_url: DbUrl,
    /// `packs.dir`: a folder of packs beside the shipped ones.
    pub packs_dir: Option<PathBuf>,
    /// `log.format`, default `text`.
    pub log_format: LogFormat,
    /// `log.level`, default `info`: a level, or directives as tracing's `EnvFilter` reads them.
    pub log_level: String,
    /// `[smtp]`, when it names a host.
    pub smtp: Option<Smtp>,
    /// `[webhook]`, when it names a URL.
    pub webhook: Option<Webhook>,
    /// `[channels.NAME]`.
    pub channels: Vec<Channel>,
    /// `notify.allow_private`, default false: channels and the webhook may lead to this machine or its own segment.
    pub allow_private: bool,
    /// `alerts.lang`, default `both`.
    pub alert_lang: AlertLang,
    /// `alerts.lang_of`: addresses with a language of their own.
    pub alert_lang_of: BTreeMap<String, AlertLang>,
    /// `alerts.storm`, default 5: alerts with one cause about more faults than this are one message.
    pub storm_above: usize,
    /// `silence.tell_after`, default `15m`, in milliseconds: silence after which the desk is told.
    pub silence_tell_ms: i64,
    /// `silence.grace`, default `90s`, in milliseconds.
    pub silence_grace_ms: i64,
    /// `desk.time_zone`, default `Asia/Shanghai`: in which the desk's days begin and end.
    pub time_zone: chrono_tz::Tz,
    /// `desk.daily_list_at`, default `18:00`, as a minute of the day: when the day's list is kept.
    pub daily_list_minute: u32,
    /// `desk.summary_day`, default 28: by the end of which day of a month the papers of the month before are approved.
    pub summary_day: u32,
    /// `desk.noc_email`: where the whole of the day's list goes.
    pub noc_email: Option<String>,
    /// `desk.erase_after`, no default, in milliseconds: how long after the end of a customer's service what is personal
    /// is erased by itself.
    pub erase_after_ms: Option<i64>,
    /// `quality.share`, default `10%`, in hundredths: of what was closed in a month so much is drawn for checking.
    pub quality_share_percent: usize,
    /// `quality.at_least`, default 5: but at least so many.
    pub quality_at_least: usize,
    /// `quality.good_from`, default 80: points of 100 from which on work counts as good.
    pub quality_good_from: i64,
    /// `desk.supervisors`: addresses of those to whom matters go up.
    pub supervisors: Vec<String>,
    /// `desk.confidentiality`, default false: contact data only for users with a valid agreement.
    pub confidentiality: bool,
    /// `audit.keep_…`: how long the entries of each kind say something.
    pub audit_keep: Keep,
    /// `auth.scope`, default `own`: whether account managers and technicians see their own customers alone (`own`).
    pub own_scope: bool,
    /// `desk.admission`, default false: new customers are admitted by a superior.
    pub admission: bool,
}

impl Settings {
    /// Reads the file and the environment of this process.
    ///
    /// # Errors
    /// Every mistake in either.
    pub fn load(file: &Path) -> Result<Self, Vec<Mistake>> {
        Self::load_with(file, std::env::vars().collect())
    }

    /// How much closed work is drawn for checking.
    #[must_use]
    pub const fn sample_rules(&self) -> SampleRules {
        SampleRules {
            share_percent: self.quality_share_percent,
            at_least: self.quality_at_least,
            good_from: self.quality_good_from,
            zone: self.time_zone,
        }
    }

    /// Like [`Settings::load`], with an environment that the caller makes up.
    ///
    /// # Errors
    /// Every mistake in either.
    pub fn load_with(file: &Path, env: Vec<(String, String)>) -> Result<Self, Vec<Mistake>> {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file).map_err(|e| {
            vec![Mistake {
                file: name.clone(),
                line: 0,
                column: 0,
                key: String::new(),
                reason: e.to_string(),
            }]
        })?;
        Self::parse(&text, &name, env)
    }

    /// Only `packs.dir`, from a file whose other keys may be wrong.
    #[must_use]
    pub fn packs_dir_of(file: &Path) -> Option<PathBuf> {
        let text = std::fs::read_to_string(file).ok()?;
        Source::new(&text, "", std::env::vars().collect()).path("packs.dir")
    }

    /// Reads the text of a file called `name`.
    ///
    /// # Errors
    /// Every mistake in the text or in `env`.
    pub fn parse(text: &str, name: &str, env: Vec<(String, String)>) -> Result<Self, Vec<Mistake>> {
        let mut source = Source::new(text, name, env);
        let settings = read::settings(&mut source);
        source.finish()?;
        Ok(settings)
    }
}

#[cfg(test)]
mod tests;
