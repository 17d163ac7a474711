//! A PostgreSQL of one's own, with the manners of a real one: it listens on the loopback, may have a standby that confirms
//! each commit, and can be killed as a machine dies.

use std::ffi::{OsStr, OsString};
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Process, block_on, eventually, free_port, is_root};

/// Where Debian keeps the server programs.
const PG_ROOT: &str = "/usr/lib/postgresql";
/// The name of the standby that the primary waits for.
const STANDBY: &str = "standby";
/// The user that runs it where we are root, which PostgreSQL refuses to be.
const USER: &str = "postgres";
/// How long it may take to start, or to follow.
const BOUND: Duration = Duration::from_mins(1);

/// A cluster; it ends with its value.
pub struct Cluster {
    folder: tempfile::TempDir,
    port: u16,
    is_durable: bool,
    process: Option<Process>,
}

impl Cluster {
    /// A new one, running, with an empty database `linewatch`.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub fn start() -> Result<Self> {
        Self::start_as(false)
    }

    /// The same with PostgreSQL's own settings for memory and disk, for benchmarks: what is committed is on the disk.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub fn durable() -> Result<Self> {
        Self::start_as(true)
    }

    fn start_as(is_durable: bool) -> Result<Self> {
        let mut cluster = Self::place()?;
        cluster.is_durable = is_durable;
        let data = cluster.data();
        let words =
            ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"];
        ran(as_user("initdb", words.map(OsStr::new).into_iter().chain([data.as_os_str()]))?)?;
        cluster.launch()?;
        cluster.sql("postgres", "CREATE DATABASE linewatch")?;
        Ok(cluster)
    }

    fn place() -> Result<Self> {
        let prefix = format!("linewatch-story-{}-", std::process::id());
        let folder = tempfile::Builder::new().prefix(&prefix).tempdir()?;
        if is_root() {
            let ids = ["-u", "-g"].map(|what| {
                let out = Command::new("id").args([what, USER]).output().ok()?;
                String::from_utf8_lossy(&out.stdout).trim().parse::<u32>().ok()
            });
            ensure!(ids[0].is_some(), "there is no user {USER}");
            std::os::unix::fs::chown(folder.path(), ids[0], ids[1])?;
        }
        Ok(Self {
            folder,
            port: free_port(IpAddr::V4(Ipv4Addr::LOCALHOST))?,
            is_durable: false,
            process: None,
        })
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Its log.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.folder.path().join("postgres.log")
    }

    /// Lets in by TLS alone from now on, with this certificate and key (PEM).
    ///
    /// # Errors
    /// When it does not take them.
    pub fn only_tls(&self, certificate: &str, key: &str) -> Result<()> {
        let owner = std::fs::metadata(self.data())?;
        for (name, pem) in [("server.crt", certificate), ("server.key", key)] {
            let path = self.data().join(name);
            std::fs::write(&path, pem)?;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
            std::os::unix::fs::chown(&path, Some(owner.uid()), Some(owner.gid()))?;
        }
        self.sql("postgres", "ALTER SYSTEM SET ssl = on")?;
        std::fs::write(self.data().join("pg_hba.conf"), "hostssl all all 127.0.0.1/32 trust\n")?;
        self.sql("postgres", "SELECT pg_reload_conf()")?;
        eventually(BOUND, "it lets nobody in without TLS", || {
            Ok(self.sql("postgres", "SELECT 1").is_err().then_some(()))
        })
    }

    /// The port on the loopback.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// `db.url` for its database.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/linewatch", self.port)
    }

    /// Starts it, and waits until it lets us in.
    ///
    /// # Errors
    /// When it does not start.
    pub fn launch(&mut self) -> Result<()> {
        let mut args: Vec<OsString> = vec!["-D".into(), self.data().into()];
        let socket = format!("unix_socket_directories={}", self.folder.path().display());
        for setting in [
            "listen_addresses=127.0.0.1",
            &format!("port={}", self.port),
            &socket,
            "max_connections=100",
            "max_wal_senders=4",
            "wal_receiver_status_interval=1s",
        ] {
            args.extend(["-c".into(), setting.into()]);
        }
        if !self.is_durable {
            // Processes die here, never the machine.
            args.extend(["-c", "fsync=off", "-c", "shared_buffers=32MB"].map(OsString::from));
        }
        let (program, args) = command("postgres", args.iter().map(OsString::as_os_str))?;
        let args: Vec<&OsStr> = args.iter().map(OsString::as_os_str).collect();
        self.process = Some(Process::start("postgres", &program, &args, &self.log())?);
        eventually(BOUND, "PostgreSQL lets us in", || {
            let ended = self.process.as_mut().map(Process::ended).transpose()?.flatten();
            if let Some(status) = ended {
                return Ok(Some(Err(anyhow::anyhow!(
                    "PostgreSQL ended with {status}; see {}",
                    self.log().display()
                ))));
            }
            Ok(self.sql("postgres", "SELECT 1").is_ok().then_some(Ok(())))
        })?
    }

    /// Runs statements in one of its databases.
    ///
    /// # Errors
    /// When it refuses or is away.
    pub fn sql(&self, database: &str, sql: &str) -> Result<()> {
        let url = format!("postgres://postgres@127.0.0.1:{}/{database}?connect_timeout=2", self.port);
        block_on(async {
            let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await?;
            let connection = tokio::spawn(connection);
            client.batch_execute(sql).await?;
            drop(client);
            // What went wrong in it was told by the statement.
            drop(connection.await);
            Ok(())
        })
    }

    /// A standby that follows it; from now on a commit is answered only once the standby has it, too.
    ///
    /// # Errors
    /// When it does not follow.
    pub fn standby(&self) -> Result<Self> {
        let mut standby = Self::place()?;
        let data = standby.data();
        let from = format!("host=127.0.0.1 port={} user=postgres application_name={STANDBY}", self.port);
        let args = ["-D".as_ref(), data.as_os_str(), "-R".as_ref(), "-X".as_ref(), "stream".as_ref()];
        let more = ["--no-sync".as_ref(), "-c".as_ref(), "fast".as_ref(), "-d".as_ref(), OsStr::new(&from)];
        ran(as_user("pg_basebackup", args.into_iter().chain(more))?)?;
        standby.launch()?;
        self.sql("postgres", &format!("ALTER SYSTEM SET synchronous_standby_names = '{STANDBY}'"))?;
        self.sql("postgres", "ALTER SYSTEM SET synchronous_commit = 'on'")?;
        self.sql("postgres", "SELECT pg_reload_conf()")?;
        let store = super::Store::Postgres(self.url());
        eventually(BOUND, "the standby confirms commits", || {
            let count =
                "SELECT COUNT(*) FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'";
            Ok((store.number(count)? == 1).then_some(()))
        })?;
        Ok(standby)
    }

    /// Makes a standby the primary, as an operator's tool does.
    ///
    /// # Errors
    /// When it refuses.
    pub fn promote(&self) -> Result<()> {
        let data = self.data();
        ran(as_user("pg_ctl", ["promote".as_ref(), "-D".as_ref(), data.as_os_str()])?)
    }

    /// Kills all its processes at once, as a machine dies.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn kill(&mut self) -> Result<()> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        let children = children_of(process.pid());
        process.kill()?;
        for child in children {
            // It may have seen that its parent is gone.
            let _ = kill(Pid::from_raw(child), Signal::SIGKILL);
        }
        Ok(())
    }

    /// Starts it again after a kill.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> Result<()> {
        // What a killed one leaves behind; nobody else has this folder.
        let _ = std::fs::remove_file(self.data().join("postmaster.pid"));
        self.launch()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The folder goes next; there is nobody to tell.
        let _ = self.kill();
    }
}

fn children_of(parent: u32) -> Vec<i32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name in parentheses may hold anything; behind it come the state and the parent.
        let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
        fields.split_ascii_whitespace().nth(1).and_then(|field| field.parse().ok()) == Some(parent)
    })
    .collect()
}

/// One of PostgreSQL's programs, of the newest version here.
///
/// # Errors
/// When it is not installed.
pub fn postgres_program(name: &str) -> Result<PathBuf> {
    Ok(newest_bin()?.join(name))
}

fn newest_bin() -> Result<PathBuf> {
    let versions = std::fs::read_dir(PG_ROOT).with_context(|| format!("there is no {PG_ROOT}"))?;
    let bins = versions.flatten().map(|entry| entry.path().join("bin"));
    bins.filter(|bin| bin.join("initdb").exists()).max().with_context(|| format!("no initdb below {PG_ROOT}"))
}

/// The program and its arguments; as root by way of another user.
fn command<'a>(name: &str, args: impl Iterator<Item = &'a OsStr>) -> Result<(PathBuf, Vec<OsString>)> {
    let program = postgres_program(name)?;
    let args: Vec<OsString> = args.map(OsStr::to_owned).collect();
    if !is_root() {
        return Ok((program, args));
    }
    let user = [format!("--reuid={USER}"), format!("--regid={USER}")];
    let mut all: Vec<OsString> = user.into_iter().map(OsString::from).collect();
    // Changing the user forgets what the kernel was told before.
    all.extend(["--clear-groups", "--pdeathsig", "KILL", "--"].map(OsString::from));
    all.push(program.into());
    all.extend(args);
    Ok((PathBuf::from("setpriv"), all))
}

fn as_user<'a>(name: &str, args: impl IntoIterator<Item = &'a OsStr>) -> Result<Command> {
    let (program, args) = command(name, args.into_iter())?;
    let mut command = Command::new(program);
    command.args(args).current_dir("/").stdin(Stdio::null());
    Ok(command)
}

fn ran(mut command: Command) -> Result<()> {
    let out = command.output().with_context(|| format!("{}", Path::new(command.get_program()).display()))?;
    if out.status.success() {
        return Ok(());
    }
    bail!("{command:?}: {}", String::from_utf8_lossy(&out.stderr))
}
