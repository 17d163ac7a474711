//! `doctor`: is everything there that the agent needs, and if not, what to do.

mod kept;

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use linewatch_shared::health::{ClockState, HealthWarning};
use linewatch_shared::time::DAY_MS;
use linewatch_shared::wire::{Hello, LEVEL, PROTOCOL, PROTOCOL_MIN};
use serde::Serialize;
use tokio::sync::mpsc;

use super::{open_journal, scribe};
use crate::clock::{BootClock, NanoClock};
use crate::config::Config;
use crate::enroll::Identity;
use crate::health::read_health;
use crate::journal::{Journal, JournalError, LaneView, lane_views};
use crate::out;
use crate::probe::{Prober, SocketKind};
use crate::sync::clock;
use crate::sync::transport::{CallError, Transport};

/// An offset beyond this is worth a warning; times are corrected all the same.
const OFFSET_WARN_MS: i64 = 2_000;
/// A certificate that ends within this is worth a warning.
const EXPIRY_WARN_MS: i64 = 30 * DAY_MS;

/// Arguments of `doctor`.
#[derive(Clone, Copy, Debug, Args)]
pub struct DoctorArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The language [default: that of the environment]
    #[arg(long, value_enum)]
    lang: Option<Lang>,
}

/// The language of what is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    /// English
    En,
    /// 中文
    Zh,
}

impl Lang {
    fn of_environment() -> Self {
        let set = ["LC_ALL", "LC_MESSAGES", "LANG"];
        let value = set.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        if value.is_some_and(|value| value.starts_with("zh")) { Self::Zh } else { Self::En }
    }

    /// The text in this language.
    fn pick(self, en: String, zh: String) -> String {
        if self == Self::Zh { zh } else { en }
    }
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Grade {
    /// Well.
    Ok,
    /// To be looked at.
    Warn,
    /// Broken.
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// Which.
    pub check: &'static str,
    /// How it is.
    pub grade: Grade,
    /// What to do about it, in plain words.
    pub text: String,
}

/// Checks everything; exit code 1 when something fails.
///
/// # Errors
/// When not even the checks can be made.
pub fn doctor(config: &Config, args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let findings = examine(config, args.lang.unwrap_or_else(Lang::of_environment), None)?;
    if args.json {
        out::json(&findings)?;
    } else {
        for Finding { check, grade, text } in &findings {
            out::line(&format!("{:<5}{check:<11}{text}", format!("{grade:?}").to_uppercase()))?;
        }
    }
    let failed = findings.iter().any(|finding| finding.grade == Grade::Fail);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Everything that was looked at, in one language. A process that has the journal open hands it over: opening it again may
/// ask for a passphrase.
///
/// # Errors
/// When not even the checks can be made.
pub fn examine(config: &Config, lang: Lang, journal: Option<&Journal>) -> anyhow::Result<Vec<Finding>> {
    let mut findings = vec![icmp(lang)];
    findings.extend(disk(config, lang));
    let journal = match journal.cloned().map_or_else(|| open_journal(config), Ok) {
        Ok(journal) => Some(journal),
        Err(error) => {
            // What is wrong with a key says itself what to do.
            let is_key = matches!(error.downcast_ref(), Some(JournalError::Vault(_)));
            let advice = if is_key {
                ("", "")
            } else {
                (": check the rights on data_dir", "：请检查 data_dir 的权限")
            };
            let text = lang.pick(
                format!("the journal cannot be opened ({error:#}){}", advice.0),
                format!("日志库打不开（{error:#}）{}", advice.1),
            );
            findings.push(Finding { check: "journal", grade: Grade::Fail, text });
            None
        }
    };
    if let Some(journal) = &journal {
        findings.extend(kept::findings(journal, lang)?);
    }
    match (Identity::load(&config.data_dir), &journal) {
        (Ok(Some(identity)), Some(journal)) => {
            findings.push(enrolment(&identity, lang)?);
            findings.extend(server(&identity, &config.data_dir, journal, lang)?);
        }
        (Ok(Some(identity)), None) => findings.push(enrolment(&identity, lang)?),
        (Ok(None), _) => {
            let text = lang.pick(
                "not enrolled: get a token from `linewatch-server agent token NAME`, then `linewatch-agent enroll URL --token TOKEN`".to_owned(),
                "尚未注册：在服务器上用 `linewatch-server agent token 名称` 取得令牌，再运行 `linewatch-agent enroll URL --token 令牌`".to_owned(),
            );
            findings.push(Finding { check: "enrolment", grade: Grade::Fail, text });
        }
        (Err(error), _) => {
            let text = lang
                .pick(format!("the identity cannot be read: {error}"), format!("身份文件无法读取：{error}"));
            findings.push(Finding { check: "enrolment", grade: Grade::Fail, text });
        }
    }
    Ok(findings)
}

/// Which sockets the kernel grants.
fn icmp(lang: Lang) -> Finding {
    let check = "icmp";
    let kinds = super::runtime(1).and_then(|runtime| {
        let _entered = runtime.enter();
        let (sink, _batches) = mpsc::channel(1);
        let prober = Prober::start(Arc::new(BootClock) as Arc<dyn NanoClock>, sink)?;
        let stats = prober.stats();
        Ok((stats.socket_v4, stats.socket_v6))
    });
    let (v4, v6) = match kinds {
        Ok(kinds) => kinds,
        Err(error) => {
            let text =
                lang.pick(format!("the prober cannot start: {error}"), format!("探测器无法启动：{error}"));
            return Finding { check, grade: Grade::Fail, text };
        }
    };
    let name = crate::page::status::socket_text;
    let usable = |kind: &SocketKind| matches!(kind, SocketKind::Datagram | SocketKind::Raw);
    let (grade, text) = match (usable(&v4), usable(&v6)) {
        (true, true) => (
            Grade::Ok,
            lang.pick(
                format!("can ping: IPv4 by {} socket, IPv6 by {} socket", name(&v4), name(&v6)),
                format!("可以发送 ICMP：IPv4 用 {} 套接字，IPv6 用 {} 套接字", name(&v4), name(&v6)),
            ),
        ),
        (true, false) => (
            Grade::Warn,
            lang.pick(
                format!("IPv4 by {} socket; no IPv6: {}", name(&v4), name(&v6)),
                format!("IPv4 用 {} 套接字；IPv6 不可用：{}", name(&v4), name(&v6)),
            ),
        ),
        (false, _) => (
            Grade::Fail,
            lang.pick(
                format!("cannot ping ({}): grant CAP_NET_RAW (setcap cap_net_raw+ep) or widen net.ipv4.ping_group_range", name(&v4)),
                format!("不能发送 ICMP（{}）：请授予 CAP_NET_RAW（setcap cap_net_raw+ep），或放宽 net.ipv4.ping_group_range", name(&v4)),
            ),
        ),
    };
    Finding { check, grade, text }
}

fn disk(config: &Config, lang: Lang) -> Vec<Finding> {
    let health = read_health(&config.data_dir);
    let warnings = health.warnings();
    let free_mb = health.disk_free_bytes.unwrap_or(0) / 1_000_000;
    let is_low = warnings.contains(&HealthWarning::DiskLow);
    let (grade, advice_en, advice_zh) = if is_low {
        (Grade::Warn, ": make room, or summaries will be given up", "：请清理磁盘，否则将舍弃分钟汇总")
    } else {
        (Grade::Ok, "", "")
    };
    let text = lang.pick(
        format!("{free_mb} MB free for {}{advice_en}", config.data_dir.display()),
        format!("{} 所在磁盘剩余 {free_mb} MB{advice_zh}", config.data_dir.display()),
    );
    let disk = Finding { check: "disk", grade, text };
    let (grade, text) = match health.clock {
        ClockState::Synchronised => {
            (Grade::Ok, lang.pick("the system keeps its clock right".to_owned(), "系统时钟已同步".to_owned()))
        }
        ClockState::Unsynchronised | ClockState::Unknown => (
            Grade::Warn,
            lang.pick(
                "nothing is known to keep this clock right: switch on chrony or systemd-timesyncd (times are corrected by the server's clock)".to_owned(),
                "没有发现校时服务：请启用 chrony 或 systemd-timesyncd（时间会按服务器时钟修正）".to_owned(),
            ),
        ),
    };
    vec![disk, Finding { check: "time", grade, text }]
}

fn enrolment(identity: &Identity, lang: Lang) -> anyhow::Result<Finding> {
    let now = scribe()?.now();
    let left_ms = identity.valid_until().map(|until| until.since(now));
    let until = identity.valid_until().map(crate::out::local).unwrap_or_default();
    let renews = identity.renew_at.is_some();
    let grade = match left_ms {
        Some(..=0) if renews => Grade::Warn,
        None | Some(..=0) => Grade::Fail,
        Some(_) if renews => Grade::Ok,
        Some(left) if left < EXPIRY_WARN_MS => Grade::Warn,
        Some(_) => Grade::Ok,
    };
    let advice = match grade {
        Grade::Ok => ("", ""),
        _ if renews => (
            ": a new certificate comes by itself once the server is reached",
            "：连上服务器后会自动换发新证书",
        ),
        _ => (": enrol again with a new token and --force", "：请用新令牌并加 --force 重新注册"),
    };
    let text = lang.pick(
        format!("enrolled as {} with {}, valid until {until}{}", identity.name, identity.server, advice.0),
        format!("已注册为 {}，服务器 {}，有效期至 {until}{}", identity.name, identity.server, advice.1),
    );
    Ok(Finding { check: "enrolment", grade, text })
}

/// Says hello, and compares the clocks.
fn server(
    identity: &Identity,
    data_dir: &std::path::Path,
    journal: &Journal,
    lang: Lang,
) -> anyhow::Result<Vec<Finding>> {
    let client = match identity.client(data_dir, journal.vault()) {
        Ok(client) => client,
        Err(error) => {
            let text = lang.pick(
                format!("the stored certificate cannot be used ({error}): enrol again with --force"),
                format!("保存的证书不可用（{error}）：请加 --force 重新注册"),
            );
            return Ok(vec![Finding { check: "server", grade: Grade::Fail, text }]);
        }
    };
    let (stream, lanes) = journal.read_blocking(lane_views)?;
    let before = journal.scribe().reading();
    let hello = Hello {
        protocol_min: PROTOCOL_MIN,
        protocol_max: PROTOCOL,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        device: before,
        boot: journal.scribe().boot(),
        epoch: stream.epoch,
        heads: lanes.iter().map(LaneView::head).collect(),
        level: LEVEL,
        trusts: Vec::new(),
    };
    let answer = super::runtime(1)?.block_on(client.hello(&hello));
    let after = journal.scribe().reading();
    let unsent: u64 = lanes.iter().map(LaneView::unsent).sum();
    Ok(match answer {
        Ok(answer) => {
            let fact = clock::measure(before, after, answer.server_now);
            vec![reached(identity, fact.round_trip_ms, unsent, lang), offset(fact.offset_ms(), lang)]
        }
        Err(error) => vec![not_reached(identity, &error, unsent, lang)],
    })
}

fn reached(identity: &Identity, round_trip_ms: u32, unsent: u64, lang: Lang) -> Finding {
    let text = lang.pick(
        format!("{} answers in {round_trip_ms} ms; {} to send", identity.server, out::records(unsent)),
        format!("{} 在 {round_trip_ms} 毫秒内应答；待发送 {unsent} 条记录", identity.server),
    );
    Finding { check: "server", grade: Grade::Ok, text }
}

fn not_reached(identity: &Identity, error: &CallError, unsent: u64, lang: Lang) -> Finding {
    let text = lang.pick(
        format!(
            "{}: {error}; {} unsent, kept here: check the network, the address and the firewall (port 8443)",
            identity.server,
            out::records(unsent)
        ),
        format!(
            "{}：{error}；{unsent} 条记录保存在本机：请检查网络、地址和防火墙（8443 端口）",
            identity.server
        ),
    );
    Finding { check: "server", grade: Grade::Fail, text }
}

fn offset(offset_ms: i64, lang: Lang) -> Finding {
    let (grade, advice) = if offset_ms.abs() > OFFSET_WARN_MS {
        (Grade::Warn, (": set the clock; recorded times are corrected", "：请校准时钟；已记录的时间会被修正"))
    } else {
        (Grade::Ok, ("", ""))
    };
    let text = lang.pick(
        format!("this clock is {offset_ms} ms behind the server's{}", advice.0),
        format!("本机时钟比服务器慢 {offset_ms} 毫秒{}", advice.1),
    );
    Finding { check: "clock", grade, text }
}
