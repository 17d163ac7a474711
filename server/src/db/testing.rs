//! Runs one test on both databases. For tests only (`testing` feature).
//!
//! PostgreSQL is a private cluster, started once for each test process: `initdb` in a temporary
//! folder, a unix socket inside it, no network, no fsync. A small shell process holds the other end
//! of a pipe and removes the cluster when the test process is gone, however it ended. A machine
//! without PostgreSQL fails the tests rather than passing half of them; `LINEWATCH_TEST_PG=off` says
//! that this is wanted.

use std::future::Future;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Db, DbError, DbUrl};

/// The wall time that test databases are migrated at.
const MIGRATED_AT_MS: i64 = 1_700_000_000_000;
/// Where Debian keeps the server programs.
const PG_ROOT: &str = "/usr/lib/postgresql";

static CLUSTER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Runs `test` on a fresh, migrated SQLite database, then on a fresh, migrated PostgreSQL database.
/// Give the test `#[tokio::test(flavor = "multi_thread")]`.
///
/// # Panics
/// When a database cannot be had, or the test panics.
pub async fn both<F, Fut>(test: F)
where
    F: Fn(Db) -> Fut,
    Fut: Future<Output = ()>,
{
    for database in databases().await {
        let opened = Db::open(&database.url, MIGRATED_AT_MS).await;
        run_one(&test, must(opened, "open the test database")).await;
    }
}

/// Like [`both`], without any tables.
///
/// # Panics
/// When a database cannot be had, or the test panics.
pub async fn both_empty<F, Fut>(test: F)
where
    F: Fn(Db) -> Fut,
    Fut: Future<Output = ()>,
{
    for database in databases().await {
        let opened = Db::open_unmigrated(&database.url).await;
        run_one(&test, must(opened, "open the test database")).await;
    }
}

async fn run_one<F, Fut>(test: &F, db: Db)
where
    F: Fn(Db) -> Fut,
    Fut: Future<Output = ()>,
{
    // Shown by the test harness only when the test fails.
    #[expect(clippy::print_stdout, reason = "a failing test has to say which database it ran on")]
    {
        println!("on {}", db.backend());
    }
    test(db).await;
}

/// A database that is gone when this is dropped (SQLite) or with the cluster (PostgreSQL).
#[derive(Debug)]
pub struct TestDatabase {
    /// What `db.url` would be.
    pub url: DbUrl,
    _folder: Option<tempfile::TempDir>,
}

impl TestDatabase {
    /// The text for a configuration file.
    #[must_use]
    pub fn url_text(&self) -> String {
        match &self.url {
            DbUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
            DbUrl::Postgres(url) => url.clone(),
        }
    }
}

/// One empty database of each kind that is tested.
///
/// # Panics
/// When one cannot be had.
pub async fn databases() -> Vec<TestDatabase> {
    let mut all = vec![sqlite()];
    if std::env::var("LINEWATCH_TEST_PG").as_deref() != Ok("off") {
        all.push(postgres().await);
    }
    all
}

/// An empty SQLite database in a folder of its own.
///
/// # Panics
/// When there is no room for temporary files.
#[must_use]
pub fn sqlite() -> TestDatabase {
    let folder = must(tempfile::tempdir(), "make a temporary folder");
    TestDatabase { url: DbUrl::Sqlite(folder.path().join("test.db")), _folder: Some(folder) }
}

/// Closes an embedded database so that no journal lies beside it, which would go on being read with another file in its
/// place. Connections that close at the same moment may each leave it to the others; one that is alone does it.
///
/// # Panics
/// When it is still in use.
pub fn without_journal(database: &Path) {
    let alone = must(rusqlite::Connection::open(database), "open it");
    // Opened in earnest by the first read.
    must(alone.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)), "read it");
    drop(alone);
    let mut journal = database.as_os_str().to_owned();
    journal.push("-wal");
    assert!(!Path::new(&journal).exists(), "{} is still in use", database.display());
}

/// An empty PostgreSQL database of the private cluster.
///
/// # Panics
/// When PostgreSQL is not installed or does not start.
pub async fn postgres() -> TestDatabase {
    let started = tokio::task::spawn_blocking(|| CLUSTER.get_or_init(start_cluster).clone()).await;
    let socket_dir = match must(started, "start PostgreSQL") {
        Ok(folder) => folder,
        Err(reason) => panic!("tests need PostgreSQL (LINEWATCH_TEST_PG=off leaves it out): {reason}"),
    };
    let name = format!("t{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let url = |database: &str| format!("postgres://postgres@/{database}?host={}", socket_dir.display());
    let admin = must(tokio_postgres::connect(&url("postgres"), tokio_postgres::NoTls).await, "connect");
    let connection = tokio::spawn(admin.1);
    must(admin.0.batch_execute(&format!("CREATE DATABASE {name}")).await, "create a database");
    drop(admin.0);
    drop(connection.await);
    TestDatabase { url: DbUrl::Postgres(url(&name)), _folder: None }
}

fn start_cluster() -> Result<PathBuf, String> {
    let bin = newest_bin()?;
    let folder = std::env::temp_dir().join(format!("linewatch-pg-{}", std::process::id()));
    std::fs::create_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let as_root = output(Command::new("id").arg("-u"))?.trim() == "0";
    if as_root {
        let ids = [
            output(Command::new("id").args(["-u", "postgres"]))?,
            output(Command::new("id").args(["-g", "postgres"]))?,
        ];
        let [uid, gid] = ids.map(|id| id.trim().parse::<u32>().ok());
        std::os::unix::fs::chown(&folder, uid, gid).map_err(|e| e.to_string())?;
    }
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).map_err(|e| e.to_string())?;
    let data = folder.join("data");
    watch_over(&bin, &folder, as_root)?;
    let mut init = user_command(&bin.join("initdb"), as_root);
    init.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"]);
    output(init.arg(&data))?;
    let options = format!(
        "-c listen_addresses='' -c unix_socket_directories='{}' -c fsync=off -c full_page_writes=off \
         -c synchronous_commit=off -c max_connections=400 -c shared_buffers=64MB",
        folder.display()
    );
    let mut start = user_command(&bin.join("pg_ctl"), as_root);
    // The log file keeps the server from holding our output pipe open.
    start.args(["start", "--wait", "--silent", "-o", &options, "-l"]).arg(folder.join("log"));
    run_detached(start.arg("-D").arg(&data), &folder.join("log"))?;
    Ok(folder)
}

fn newest_bin() -> Result<PathBuf, String> {
    let versions = std::fs::read_dir(PG_ROOT).map_err(|_| format!("there is no {PG_ROOT}"))?;
    versions
        .filter_map(|e| Some(e.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").exists())
        .max()
        .ok_or_else(|| format!("no initdb below {PG_ROOT}"))
}

/// Starts the process that waits for our end and then cleans up.
fn watch_over(bin: &Path, folder: &Path, as_root: bool) -> Result<(), String> {
    let user = if as_root { "setpriv --reuid=postgres --regid=postgres --clear-groups" } else { "" };
    let script = format!(
        "trap '' INT TERM HUP; cat >/dev/null; cd /; {user} {}/pg_ctl stop -m immediate -D {f}/data; rm -rf {f}",
        bin.display(),
        f = folder.display()
    );
    let child = Command::new("sh")
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| format!("sh: {e}"))?;
    // Never closed by us: the kernel does it when this process ends.
    std::mem::forget(child);
    Ok(())
}

fn user_command(program: &Path, as_root: bool) -> Command {
    let mut command = if as_root {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir("/").stdin(Stdio::null());
    command
}

fn output(command: &mut Command) -> Result<String, String> {
    let out = command.output().map_err(|e| format!("{}: {e}", command.get_program().display()))?;
    if out.status.success() {
        return Ok(String::from_utf8_lossy(&out.stdout).into_owned());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&out.stderr)))
}

fn run_detached(command: &mut Command, log: &Path) -> Result<(), String> {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().map_err(|e| e.to_string())?;
    if status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}", std::fs::read_to_string(log).unwrap_or_default()))
}

fn must<T, E: std::fmt::Debug>(result: Result<T, E>, what: &str) -> T {
    match result {
        Ok(value) => value,
        Err(e) => panic!("cannot {what}: {e:?}"),
    }
}

/// Reads a single integer; a shorthand for tests.
///
/// # Errors
/// The database's.
pub async fn int(db: &Db, sql: &'static str) -> Result<i64, DbError> {
    db.read(move |tx| tx.query_one(sql, &[])?.get(0)).await
}
