//! The commands: each opens what it needs, does one thing, and says so in a line.

pub mod doctor;
pub mod fault;
mod open;
pub mod status;
pub mod sync;
pub mod transfer;
pub mod vault;
pub mod visit;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand};
use linewatch_shared::time::UnixMs;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, LogFormat};
use crate::run::lock;
use crate::{enroll, journal, out, probe, run};

pub use open::{find_vault, open_journal, reader, refuse_locked, scribe};

/// A person's times may be this far ahead of the device's clock.
pub const AHEAD_MS: i64 = 5 * 60_000;

/// Probes lines, keeps faults and visits offline, syncs them to the linewatch server.
#[derive(Debug, Parser)]
#[command(name = "linewatch-agent", version, disable_version_flag = false)]
pub struct Cli {
    /// The configuration file
    #[arg(long, global = true, env = "LINEWATCH_CONFIG", default_value = "/etc/linewatch/agent.toml")]
    pub config: PathBuf,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Probe the lines and sync, until stopped
    Run,
    /// Enrol with a server, using the token that `linewatch-server agent token NAME` printed
    Enroll(EnrollArgs),
    /// Show lines, what is still to be sent, and the last contact; also while the agent is not running
    Status(JsonArgs),
    /// Check what the agent needs: ICMP, server, clock, disk, enrolment
    Doctor(doctor::DoctorArgs),
    /// Probe one target now, like ping
    Probe(probe::command::ProbeArgs),
    /// Report faults and look at them, offline too
    #[command(subcommand)]
    Fault(fault::FaultCommand),
    /// Write down visits and look at them, offline too
    #[command(subcommand)]
    Visit(visit::VisitCommand),
    /// Send everything now
    Sync(sync::SyncArgs),
    /// Write everything unsent to a file, to carry it by another machine
    Export(transfer::ExportArgs),
    /// Take in a file that another machine exported
    Import(transfer::ImportArgs),
    /// Look at the key that the data is sealed with, or put it under a passphrase
    #[command(subcommand)]
    Vault(vault::VaultCommand),
    /// Print the version
    Version,
}

/// Arguments of `enroll`.
#[derive(Debug, Args)]
pub struct EnrollArgs {
    /// The server: https://HOST:PORT (port 8443 if none is given)
    pub url: String,
    /// The enrolment token; it works once
    #[arg(long)]
    pub token: String,
    /// Leave the server that this agent belongs to
    #[arg(long)]
    pub force: bool,
}

/// Listings.
#[derive(Clone, Copy, Debug, Args)]
pub struct JsonArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs a command.
///
/// # Errors
/// With one clear line.
pub fn execute(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Version => {
            out::line(&format!("linewatch-agent {}", env!("CARGO_PKG_VERSION")))?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::Probe(args) => return runtime(1)?.block_on(probe::command::run(args)),
        _ => {}
    }
    let config = Config::load(&cli.config, std::env::vars())?;
    let is_run = matches!(cli.command, Command::Run);
    start_log(&config, is_run)?;
    let done = |result: anyhow::Result<()>| result.map(|()| ExitCode::SUCCESS);
    match cli.command {
        Command::Run => done(run_agent(config)),
        Command::Enroll(args) => done(enroll_agent(&config, &args)),
        Command::Status(args) => done(status::status(&config, args)),
        Command::Doctor(args) => doctor::doctor(&config, &args),
        Command::Fault(command) => done(fault::execute(&config, command)),
        Command::Visit(command) => done(visit::execute(&config, command)),
        Command::Sync(args) => done(sync::sync(&config, args)),
        Command::Export(args) => done(transfer::export_to(&config, &args)),
        Command::Import(args) => done(transfer::import_from(&config, &args)),
        Command::Vault(command) => done(vault::execute(&config, command)),
        Command::Probe(_) | Command::Version => Ok(ExitCode::SUCCESS),
    }
}

/// Logs go to standard error. Commands tell only warnings there: their output is their own.
fn start_log(config: &Config, is_run: bool) -> anyhow::Result<()> {
    let level = if is_run { config.log.level.as_str() } else { "warn" };
    let filter: tracing_subscriber::EnvFilter = level.parse().context("log.level")?;
    let colour = std::io::stderr().is_terminal();
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colour);
    let result = match config.log.format {
        LogFormat::Json if is_run => builder.json().try_init(),
        _ if is_run => builder.try_init(),
        _ => builder.with_target(false).without_time().try_init(),
    };
    result.map_err(|error| anyhow::anyhow!("log: {error}"))
}

fn runtime(threads: usize) -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(threads).max_blocking_threads(8).enable_all();
    builder.build().context("the async runtime cannot start")
}

/// Who writes, as this device knows the person.
#[must_use]
pub fn author() -> Option<String> {
    ["SUDO_USER", "USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()))
}

fn run_agent(config: Config) -> anyhow::Result<()> {
    std::fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("data_dir {}", config.data_dir.display()))?;
    let lock = lock::take(&config.data_dir).context("run.lock")?;
    let Some(_lock) = lock else {
        bail!("another agent runs on {}", config.data_dir.display());
    };
    let journal = open_journal(&config)?;
    let runtime = runtime(2)?;
    let result = runtime.block_on(async {
        let stop = CancellationToken::new();
        tokio::spawn(wait_for_signal(stop.clone())?);
        run::run(config, journal, stop).await
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    result
}

/// Cancels at SIGTERM or SIGINT; registered before anything starts.
fn wait_for_signal(stop: CancellationToken) -> anyhow::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.cancel();
    })
}

fn enroll_agent(config: &Config, args: &EnrollArgs) -> anyhow::Result<()> {
    std::fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("data_dir {}", config.data_dir.display()))?;
    let journal = open_journal(config)?;
    let enrolled = enroll::enroll(&config.data_dir, &args.url, &args.token, args.force, journal.vault());
    let identity = runtime(1)?.block_on(enrolled)?;
    journal.write_blocking(journal::unlock)?;
    out::line(&format!("enrolled as {} with {}", identity.name, identity.server))?;
    Ok(())
}

/// Reads a time that a person typed: RFC 3339, `YYYY-MM-DD HH:MM`, or `HH:MM` (the last one that has been).
///
/// # Errors
/// When it is none of these, or more than five minutes ahead.
pub fn typed_time(text: &str, now: UnixMs) -> anyhow::Result<UnixMs> {
    use chrono::{Days, Local, NaiveDateTime, NaiveTime, TimeZone};
    let wrong = || anyhow::anyhow!("{text:?} is not a time: write 14:05, \"2026-03-01 14:05\" or RFC 3339");
    let local = |naive: NaiveDateTime| {
        Local.from_local_datetime(&naive).earliest().map(|at| UnixMs(at.timestamp_millis())).ok_or_else(wrong)
    };
    let text = text.trim();
    let at = if let Ok(at) = UnixMs::parse_rfc3339(text) {
        at
    } else if let Ok(time) = NaiveTime::parse_from_str(text, "%H:%M") {
        let today = chrono::DateTime::<Local>::from(now.to_utc()).date_naive();
        let at = local(today.and_time(time))?;
        // 23:50, said just after midnight, was yesterday.
        if at.since(now) > AHEAD_MS { local((today - Days::new(1)).and_time(time))? } else { at }
    } else {
        let formats = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"];
        let naive = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
        local(naive.ok_or_else(wrong)?)?
    };
    if at.since(now) > AHEAD_MS {
        bail!("{text} is in the future");
    }
    Ok(at)
}

/// The data directory as shown to people.
#[must_use]
pub fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Local, TimeZone};

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn times_as_people_type_them() {
        let at = |h, m| UnixMs(Local.with_ymd_and_hms(2026, 3, 1, h, m, 0).unwrap().timestamp_millis());
        let now = at(0, 10);
        assert_eq!(typed_time("00:05", now).unwrap(), at(0, 5));
        assert_eq!(typed_time("00:14", now).unwrap(), at(0, 14), "a little ahead is a clock's matter");
        assert_eq!(typed_time("23:50", now).unwrap(), at(0, 0) - 600_000, "yesterday");
        assert_eq!(typed_time("2026-03-01 00:03", now).unwrap(), at(0, 3));
        assert_eq!(typed_time("2026-02-28T08:00:00Z", now).unwrap().to_rfc3339(), "2026-02-28T08:00:00.000Z");
        assert!(typed_time("2026-03-01 00:30", now).unwrap_err().to_string().contains("in the future"));
        assert!(typed_time("noon", now).unwrap_err().to_string().contains("is not a time"));
    }
}
