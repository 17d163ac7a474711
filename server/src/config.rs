//! The configuration file: TOML, every key optional, unknown keys refused.
//!
//! `LINEWATCH_SECTION__KEY` in the environment beats the file (`LINEWATCH_DATA_DIR` for a key without
//! a section; lists are separated by commas). A secret may stand in a file of its own, named by the
//! key with `_file` (`smtp.password_file`, `LINEWATCH_SMTP__PASSWORD_FILE`). Every mistake is
//! reported, each with its place, not just the first one.

mod source;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use linewatch_shared::rules::Mistake;

use crate::db::DbUrl;
use source::Source;

/// Seconds of silence after which an agent's lines are unknown.
const DEFAULT_SILENCE_GRACE_MS: i64 = 90_000;
/// Connections that one listener holds at the same time.
const DEFAULT_MAX_CONNECTIONS: usize = 10_000;

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
}

/// Everything that can be configured.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `data_dir`, default `/var/lib/linewatch-server`: keys, certificates, the embedded database.
    pub data_dir: PathBuf,
    /// `public_url`: what links in messages begin with; by default `http://` and the listen address.
    pub public_url: Option<String>,
    /// `[http]`.
    pub http: Http,
    /// `[sync]`.
    pub sync: Sync,
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
    /// `alerts.lang`, default `both`.
    pub alert_lang: AlertLang,
    /// `silence.grace`, default `90s`, in milliseconds.
    pub silence_grace_ms: i64,
}

impl Settings {
    /// Reads the file and the environment of this process.
    ///
    /// # Errors
    /// Every mistake in either.
    pub fn load(file: &Path) -> Result<Self, Vec<Mistake>> {
        Self::load_with(file, std::env::vars().collect())
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
        let settings = read(&mut source);
        source.finish()?;
        Ok(settings)
    }
}

fn read(s: &mut Source) -> Settings {
    let data_dir = s.path("data_dir").unwrap_or_else(|| PathBuf::from("/var/lib/linewatch-server"));
    let default_db = DbUrl::Sqlite(data_dir.join("linewatch.db"));
    let http = Http {
        listen: s.parsed("http.listen", address).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080))),
        max_connections: s.parsed("http.max_connections", count).unwrap_or(DEFAULT_MAX_CONNECTIONS),
    };
    let sync = Sync {
        listen: s.parsed("sync.listen", address).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8443))),
        names: s.list("sync.names").unwrap_or_default(),
        max_connections: s.parsed("sync.max_connections", count).unwrap_or(DEFAULT_MAX_CONNECTIONS),
    };
    Settings {
        public_url: s.parsed("public_url", base_url),
        http,
        sync,
        db_url: s.parsed("db.url", DbUrl::parse).unwrap_or(default_db),
        packs_dir: s.path("packs.dir"),
        log_format: s
            .choice("log.format", &[("text", LogFormat::Text), ("json", LogFormat::Json)])
            .unwrap_or(LogFormat::Text),
        log_level: s.parsed("log.level", log_level).unwrap_or_else(|| "info".to_owned()),
        smtp: smtp(s),
        webhook: webhook(s),
        alert_lang: s
            .choice("alerts.lang", &[("zh", AlertLang::Zh), ("en", AlertLang::En), ("both", AlertLang::Both)])
            .unwrap_or(AlertLang::Both),
        silence_grace_ms: s.parsed("silence.grace", duration_ms).unwrap_or(DEFAULT_SILENCE_GRACE_MS),
        data_dir,
    }
}

fn smtp(s: &mut Source) -> Option<Smtp> {
    let host = s.parsed("smtp.host", not_empty);
    let from = s.parsed("smtp.from", mail_address);
    let tls = s
        .choice(
            "smtp.tls",
            &[("none", SmtpTls::None), ("starttls", SmtpTls::StartTls), ("tls", SmtpTls::Tls)],
        )
        .unwrap_or(SmtpTls::StartTls);
    let port = s.parsed("smtp.port", port);
    let user = s.parsed("smtp.user", not_empty);
    let password = s.secret("smtp.password");
    let host = host?;
    if from.is_none() {
        s.mistake("smtp.from", "is missing: mail needs a sender's address");
    }
    if user.is_some() != password.is_some() {
        s.mistake("smtp.user", "user and password belong together");
    }
    let default_port = match tls {
        SmtpTls::None => 25,
        SmtpTls::StartTls => 587,
        SmtpTls::Tls => 465,
    };
    Some(Smtp {
        host,
        port: port.unwrap_or(default_port),
        from: from.unwrap_or_default(),
        tls,
        user,
        password,
    })
}

fn webhook(s: &mut Source) -> Option<Webhook> {
    let url = s.parsed("webhook.url", base_url);
    let secret = s.secret("webhook.secret");
    Some(Webhook { url: url?, secret })
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| format!("\"{text}\" is not an address and port, such as 127.0.0.1:8080 or [::1]:8080"))
}

fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n) if n > 0 => Ok(n),
        _ => Err(format!("\"{text}\" is not a whole number above 0")),
    }
}

fn port(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(n) if n > 0 => Ok(n),
        _ => Err(format!("\"{text}\" is not a port from 1 to 65535")),
    }
}

fn base_url(text: &str) -> Result<String, String> {
    let url: axum::http::Uri = text.parse().map_err(|_| format!("\"{text}\" is not a URL"))?;
    match (url.scheme_str(), url.host()) {
        (Some("http" | "https"), Some(_)) => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err(format!("\"{text}\" must begin with http:// or https:// and name a host")),
    }
}

fn not_empty(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("must not be empty".into()) } else { Ok(text.to_owned()) }
}

fn mail_address(text: &str) -> Result<String, String> {
    match text.parse::<lettre::message::Mailbox>() {
        Ok(_) => Ok(text.to_owned()),
        Err(e) => Err(format!("\"{text}\" is not a mail address: {e}")),
    }
}

fn log_level(text: &str) -> Result<String, String> {
    match tracing_subscriber::EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(e) => Err(format!("\"{text}\" is not a log level: {e}")),
    }
}

fn duration_ms(text: &str) -> Result<i64, String> {
    linewatch_shared::rules::parse_duration(text).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str, env: &[(&str, &str)]) -> Vec<String> {
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        match Settings::parse(text, "s.toml", env) {
            Ok(_) => Vec::new(),
            Err(found) => found.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn an_empty_file_is_the_defaults() {
        let s = Settings::parse("", "s.toml", vec![]).unwrap();
        assert_eq!(s.http.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(s.sync.listen.to_string(), "127.0.0.1:8443");
        assert_eq!(s.db_url, DbUrl::Sqlite("/var/lib/linewatch-server/linewatch.db".into()));
        assert!(s.smtp.is_none() && s.webhook.is_none());
        assert_eq!(s.silence_grace_ms, 90_000);
    }

    #[test]
    fn every_mistake_has_its_place() {
        let text = "data_dir = true\nwat = 1\n[http]\nlisten = \"here\"\nliste = \"x\"\n[log]\nformat = \"xml\"\n\
                    [silence]\ngrace = \"90\"\n[nope]\nx = 1\n[smtp]\nhost = \"mail\"\nport = 0\n";
        let found = mistakes(text, &[]);
        let starts = [
            "s.toml:1:12: data_dir: ",
            "s.toml:2:1: wat: unknown key",
            "s.toml:4:10: http.listen: \"here\" is not an address",
            "s.toml:5:1: http.liste: unknown key; known in [http]: listen, max_connections",
            "s.toml:7:10: log.format: \"xml\" is not one of: text, json",
            "s.toml:9:9: silence.grace: \"90\" is not a duration",
            "s.toml:10:2: nope: unknown section",
            "s.toml:14:8: smtp.port: \"0\" is not a port",
        ];
        for start in starts {
            assert!(found.iter().any(|m| m.starts_with(start)), "{start} is not in {found:#?}");
        }
        assert!(found.iter().any(|m| m.contains("smtp.from: is missing")), "{found:#?}");
        assert_eq!(found.len(), starts.len() + 1, "{found:#?}");
    }

    #[test]
    fn broken_toml_is_one_mistake_with_its_place() {
        let found = mistakes("[http\nlisten = 1", &[]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("s.toml:1:6: "), "{found:?}");
    }

    #[test]
    fn the_environment_beats_the_file() {
        let env = [
            ("LINEWATCH_HTTP__LISTEN", "127.0.0.1:1"),
            ("LINEWATCH_SYNC__NAMES", "a.example, 10.0.0.1"),
            ("LINEWATCH_DATA_DIR", "/d"),
            ("LINEWATCH_TEST_PG", "off"),
            ("LINEWATCH_UI__LISTEN", "belongs to the agent"),
        ];
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let s = Settings::parse("[http]\nlisten = \"127.0.0.1:2\"", "s.toml", env).unwrap();
        assert_eq!(s.http.listen.port(), 1);
        assert_eq!(s.sync.names, ["a.example", "10.0.0.1"]);
        assert_eq!(s.db_url, DbUrl::Sqlite("/d/linewatch.db".into()));
        let found = mistakes("", &[("LINEWATCH_HTTP__LISTEN", "x"), ("LINEWATCH_HTTP__LISTN", "x")]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().all(|m| m.starts_with("environment: LINEWATCH_HTTP__LIST")), "{found:?}");
    }

    #[test]
    fn secrets_come_from_files_and_are_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "hush\n").unwrap();
        let text = format!("[webhook]\nurl = \"http://h/x\"\nsecret_file = {file:?}");
        let s = Settings::parse(&text, "s.toml", vec![]).unwrap();
        let secret = s.webhook.as_ref().unwrap().secret.clone().unwrap();
        assert_eq!(secret.reveal(), "hush");
        assert!(!format!("{s:?}").contains("hush"));
        let both = format!("{text}\nsecret = \"x\"");
        assert!(mistakes(&both, &[])[0].contains("either"), "{:?}", mistakes(&both, &[]));
        let gone = "[webhook]\nurl = \"http://h/x\"\nsecret_file = \"/nonexistent\"";
        assert!(mistakes(gone, &[])[0].starts_with("s.toml:3:15: webhook.secret_file: "));
    }
}
