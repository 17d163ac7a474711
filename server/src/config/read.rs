//! Each setting with its default and what it accepts.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use linewatch_shared::time::DAY_MS;

use super::source::Source;
use super::{AlertLang, Channel, Http, LogFormat, Settings, Smtp, SmtpTls, Sync, Webhook};
use crate::app::agents::renewal::{LIFE_MS, LIFE_MS_MAX, LIFE_MS_MIN};
use crate::app::quality::{POINTS_MAX, SAMPLE_MAX};
use crate::app::trail::prune::Keep;
use crate::db::DbUrl;

/// Silence after which an agent's lines are unknown.
const DEFAULT_SILENCE_GRACE_MS: i64 = 90_000;
const DEFAULT_SILENCE_TELL_MS: i64 = 900_000;
/// A customer's or node's faults up to this are told one by one.
const DEFAULT_STORM_ABOVE: usize = 5;
/// Six in the evening.
const DEFAULT_DAILY_LIST_MINUTE: u32 = 18 * 60;
/// Monthly summary by the 28th [source].
const DEFAULT_SUMMARY_DAY: u32 = 28;
/// A tenth of what was closed is checked.
const DEFAULT_QUALITY_SHARE_PERCENT: usize = 10;
/// Of a quiet month at least so much.
const DEFAULT_QUALITY_AT_LEAST: usize = 5;
/// Points of 100 from which on work counts as good.
const DEFAULT_QUALITY_GOOD_FROM: i64 = 80;
/// The most supervisors who are told.
const SUPERVISORS_MAX: usize = 16;
/// A trail that forgets sooner is none.
const AUDIT_KEEP_MIN_MS: i64 = 30 * DAY_MS;
/// Connections that one listener holds at the same time.
const DEFAULT_MAX_CONNECTIONS: usize = 10_000;

/// The languages of alerts.
pub(super) const LANGS: &[(&str, AlertLang)] =
    &[("zh", AlertLang::Zh), ("en", AlertLang::En), ("both", AlertLang::Both)];

pub(super) fn settings(s: &mut Source) -> Settings {
    let channels = super::channels::channels(s);
    let webhook = webhook(s);
    let allow_private = s.flag("notify.allow_private").unwrap_or(false);
    if !allow_private {
        super::outgoing::check(s, webhook.as_ref(), &channels);
    }
    let data_dir = s.path("data_dir").unwrap_or_else(|| PathBuf::from("/var/lib/linewatch-server"));
    let default_db = DbUrl::Sqlite(data_dir.join("linewatch.db"));
    let http = Http {
        listen: s.parsed("http.listen", address).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080))),
        max_connections: s.parsed("http.max_connections", count).unwrap_or(DEFAULT_MAX_CONNECTIONS),
        trusted_proxies: super::limits::proxies(s),
    };
    let sync = Sync {
        listen: s.parsed("sync.listen", address).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8443))),
        names: s.list("sync.names").unwrap_or_default(),
        max_connections: s.parsed("sync.max_connections", count).unwrap_or(DEFAULT_MAX_CONNECTIONS),
        certificate_life_ms: s.parsed("sync.certificate_life", certificate_life).unwrap_or(LIFE_MS),
    };
    Settings {
        public_url: s.parsed("public_url", base_url),
        http,
        sync,
        auth: super::auth::auth(s, &data_dir),
        limits: super::limits::limits(s),
        db_url: s.parsed("db.url", DbUrl::parse).unwrap_or(default_db),
        packs_dir: s.path("packs.dir"),
        log_format: s
            .choice("log.format", &[("text", LogFormat::Text), ("json", LogFormat::Json)])
            .unwrap_or(LogFormat::Text),
        log_level: s.parsed("log.level", log_level).unwrap_or_else(|| "info".to_owned()),
        smtp: smtp(s, &channels),
        webhook,
        channels,
        allow_private,
        alert_lang: s.choice("alerts.lang", LANGS).unwrap_or(AlertLang::Both),
        alert_lang_of: lang_of(s),
        storm_above: s.parsed("alerts.storm", count).unwrap_or(DEFAULT_STORM_ABOVE),
        silence_tell_ms: s.parsed("silence.tell_after", duration_ms).unwrap_or(DEFAULT_SILENCE_TELL_MS),
        silence_grace_ms: s.parsed("silence.grace", duration_ms).unwrap_or(DEFAULT_SILENCE_GRACE_MS),
        time_zone: s.parsed("desk.time_zone", time_zone).unwrap_or(chrono_tz::Asia::Shanghai),
        daily_list_minute: s.parsed("desk.daily_list_at", minute_of_day).unwrap_or(DEFAULT_DAILY_LIST_MINUTE),
        summary_day: s.parsed("desk.summary_day", day_of_month).unwrap_or(DEFAULT_SUMMARY_DAY),
        noc_email: s.parsed("desk.noc_email", plain_address),
        erase_after_ms: s.parsed("desk.erase_after", duration_ms),
        quality_share_percent: s.parsed("quality.share", percent).unwrap_or(DEFAULT_QUALITY_SHARE_PERCENT),
        quality_at_least: s.parsed("quality.at_least", sample).unwrap_or(DEFAULT_QUALITY_AT_LEAST),
        quality_good_from: s.parsed("quality.good_from", points).unwrap_or(DEFAULT_QUALITY_GOOD_FROM),
        supervisors: supervisors(s),
        confidentiality: s.flag("desk.confidentiality").unwrap_or(false),
        own_scope: s.choice("auth.scope", &[("own", true), ("all", false)]).unwrap_or(true),
        admission: s.flag("desk.admission").unwrap_or(false),
        audit_keep: audit_keep(s),
        data_dir,
    }
}

fn audit_keep(s: &mut Source) -> Keep {
    let default = Keep::default();
    let mut keep = |key: &str, default: i64| s.parsed(key, keep_ms).unwrap_or(default);
    Keep {
        access_ms: keep("audit.keep_access", default.access_ms),
        security_ms: keep("audit.keep_security", default.security_ms),
        personal_ms: keep("audit.keep_personal", default.personal_ms),
        exports_ms: keep("audit.keep_exports", default.exports_ms),
        changes_ms: keep("audit.keep_changes", default.changes_ms),
    }
}

fn keep_ms(text: &str) -> Result<i64, String> {
    let ms = duration_ms(text)?;
    if ms < AUDIT_KEEP_MIN_MS { Err(format!("\"{text}\" is too short: at least 30d")) } else { Ok(ms) }
}

fn day_of_month(text: &str) -> Result<u32, String> {
    let day = text.parse().ok().filter(|day| (1..=28).contains(day));
    day.ok_or_else(|| format!("\"{text}\" is not a day that every month has (1 to 28)"))
}

fn certificate_life(text: &str) -> Result<i64, String> {
    let life_ms = duration_ms(text)?;
    let fits = (LIFE_MS_MIN..=LIFE_MS_MAX).contains(&life_ms);
    fits.then_some(life_ms).ok_or_else(|| format!("\"{text}\" is not a life from 1h to 90d"))
}

fn percent(text: &str) -> Result<usize, String> {
    let number = text.strip_suffix('%').and_then(|number| number.trim().parse().ok());
    number
        .filter(|number| (1..=100).contains(number))
        .ok_or_else(|| format!("\"{text}\" is not a share such as 10% (1% to 100%)"))
}

fn sample(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=SAMPLE_MAX).contains(number));
    number.ok_or_else(|| format!("\"{text}\" is not a whole number from 1 to {SAMPLE_MAX}"))
}

fn points(text: &str) -> Result<i64, String> {
    let number = text.parse().ok().filter(|number| (0..=POINTS_MAX).contains(number));
    number.ok_or_else(|| format!("\"{text}\" is not a number of points from 0 to {POINTS_MAX}"))
}

fn supervisors(s: &mut Source) -> Vec<String> {
    let addresses = s.list("desk.supervisors").unwrap_or_default();
    for address in &addresses {
        if let Err(reason) = plain_address(address) {
            s.mistake("desk.supervisors", &reason);
        }
    }
    if addresses.len() > SUPERVISORS_MAX {
        s.mistake("desk.supervisors", &format!("are at most {SUPERVISORS_MAX}"));
    }
    addresses
}

/// `["name@example.com=en"]`.
fn lang_of(s: &mut Source) -> BTreeMap<String, AlertLang> {
    let mut langs = BTreeMap::new();
    for entry in s.list("alerts.lang_of").unwrap_or_default() {
        let lang = |text: &str| match text {
            "zh" => Some(AlertLang::Zh),
            "en" => Some(AlertLang::En),
            "both" => Some(AlertLang::Both),
            _ => None,
        };
        let split =
            entry.split_once('=').and_then(|(address, text)| Some((address.trim(), lang(text.trim())?)));
        match split {
            Some((address, lang)) if plain_address(address).is_ok() => drop(langs.insert(address.to_owned(), lang)),
            _ => s.mistake(
                "alerts.lang_of",
                &format!("\"{entry}\" is not an address with its language, such as name@example.com=en (zh, en, both)"),
            ),
        }
    }
    langs
}

fn plain_address(text: &str) -> Result<String, String> {
    match text.parse::<lettre::Address>() {
        Ok(_) => Ok(text.to_owned()),
        Err(e) => Err(format!("\"{text}\" is not a mail address: {e}")),
    }
}

fn time_zone(text: &str) -> Result<chrono_tz::Tz, String> {
    text.parse().map_err(|_| format!("\"{text}\" is not a time zone such as Asia/Shanghai"))
}

fn minute_of_day(text: &str) -> Result<u32, String> {
    use chrono::Timelike;
    let time = chrono::NaiveTime::parse_from_str(text, "%H:%M");
    let time = time.map_err(|_| format!("\"{text}\" is not a time of day such as 18:00"))?;
    Ok(time.hour() * 60 + time.minute())
}

fn smtp(s: &mut Source, channels: &[Channel]) -> Option<Smtp> {
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
    let ca_file = s.parsed("smtp.ca_file", readable);
    let fallback = s.parsed("smtp.fallback", |name| {
        let known = channels.iter().any(|channel| channel.name == name);
        if known { Ok(name.to_owned()) } else { Err(format!("there is no [channels.{name}]")) }
    });
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
        fallback,
        ca_file,
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

pub(super) fn count(text: &str) -> Result<usize, String> {
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

pub(super) fn base_url(text: &str) -> Result<String, String> {
    let url: axum::http::Uri = text.parse().map_err(|_| format!("\"{text}\" is not a URL"))?;
    match (url.scheme_str(), url.host()) {
        (Some("http" | "https"), Some(_)) => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err(format!("\"{text}\" must begin with http:// or https:// and name a host")),
    }
}

pub(super) fn not_empty(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("must not be empty".into()) } else { Ok(text.to_owned()) }
}

pub(super) fn readable(text: &str) -> Result<PathBuf, String> {
    std::fs::File::open(text).map(|_| PathBuf::from(text)).map_err(|e| format!("{text}: {e}"))
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

pub(super) fn duration_ms(text: &str) -> Result<i64, String> {
    linewatch_shared::rules::parse_duration(text).map_err(|e| e.to_string())
}
