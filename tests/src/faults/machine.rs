//! A laptop: a disk, a clock, a net, and the real program on it, which can die at any change of the disk.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use linewatch_shared::wire::Hash;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rusqlite::{Connection, OpenFlags};
use uuid::Uuid;

use super::clock::WrongClock;
use super::disk::{Cut, Damage, Disk};
use super::laptop::{Laptop, Op, Saved, What};
use super::net::{Net, NetCounts};
use super::volume::Volume;
use crate::harness::{Process, Seed, Server, free_port, mono_ms, program};

/// How long one command may take.
const COMMAND: Duration = Duration::from_mins(1);
/// Between two looks at a command.
const LOOK_EVERY: Duration = Duration::from_micros(300);
/// In which pieces the journal keeps pictures.
const PIECE_BYTES: u64 = 64 << 10;
/// Words that a program says of a broken database.
const DAMAGE_WORDS: [&str; 4] = ["damaged", "malformed", "corrupt", "not a database"];

/// What a command said, as far as it came.
#[derive(Clone, Debug)]
pub struct Told {
    /// Its exit code; none when the machine died first.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// What a journal holds of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldRecord {
    /// The hash of its bytes.
    pub hash: Hash,
    /// How many of its pictures are there whole.
    pub pictures: u64,
}

/// A laptop.
pub struct Machine {
    /// Its name in what is told.
    pub name: String,
    /// Its disk.
    pub volume: Volume,
    /// Its way to the server.
    pub net: Net,
    /// Its wall clock.
    pub clock: WrongClock,
    /// The customer whom its technician visits.
    pub customer: String,
    /// The lines there.
    pub lines: Vec<String>,
    /// Where its page is, while its agent runs.
    pub page: SocketAddr,
    dir: PathBuf,
    config: PathBuf,
    program: PathBuf,
    running: Vec<Process>,
}

impl Machine {
    /// A laptop with a disk of its own; its program's configuration is kept elsewhere, as a package's is.
    ///
    /// # Errors
    /// When its disk cannot be mounted.
    pub fn new(
        dir: &Path,
        disk: Disk,
        server: &Server,
        counts: &Arc<NetCounts>,
        chance: Seed,
    ) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        let volume = Volume::new(&dir.join("disk"), disk, chance)?;
        let net = Net::start(server.sync, Arc::clone(counts))?;
        let data = toml::Value::String(dir.join("disk/data").display().to_string());
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let page = SocketAddr::new(loopback, free_port(loopback)?);
        let config = dir.join("agent.toml");
        std::fs::write(&config, format!("data_dir = {data}\n[ui]\nlisten = \"{page}\"\n"))?;
        Ok(Self {
            name: dir.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            volume,
            net,
            clock: WrongClock::new(&dir.join("clock"))?,
            customer: String::new(),
            lines: Vec::new(),
            page,
            dir: dir.to_owned(),
            config,
            program: program("linewatch-agent")?,
            running: Vec::new(),
        })
    }

    /// Where its data is.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.volume.place().join("data")
    }

    /// Enrols by its own net.
    ///
    /// # Errors
    /// When it is refused.
    pub fn enroll(&mut self, server: &Server, agent: &str) -> Result<()> {
        let token = server.agent_token(agent)?;
        let url = format!("https://{}", self.net.address);
        let told = self.command(&["enroll", &url, "--token", &token, "--force"])?;
        ensure!(told.code == Some(0), "enrol {agent}: {}", told.err);
        Ok(())
    }

    /// Starts a command in the background; it dies with the machine.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&mut self, args: &[&str]) -> Result<()> {
        let (out, err) = (self.dir.join("run.log"), self.dir.join("run.log"));
        let process = self.spawn(args, &out, &err)?;
        self.running.push(process);
        Ok(())
    }

    fn spawn(&self, args: &[&str], out: &Path, err: &Path) -> Result<Process> {
        let mut words = vec!["USER=technician-1".to_owned()];
        if self.clock.offset_s() != 0 || args == ["run"] {
            words.extend(self.clock.environment());
        }
        words.extend([self.program.display().to_string(), "--config".to_owned()]);
        words.push(self.config.display().to_string());
        words.extend(args.iter().map(|word| (*word).to_owned()));
        let words: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
        Process::start_with_output(&self.name, Path::new("env"), &words, out, err)
    }

    /// Runs a command to its end, or until the machine dies.
    ///
    /// # Errors
    /// When it cannot be started, or takes too long.
    pub fn command(&mut self, args: &[&str]) -> Result<Told> {
        self.command_killed(args, None)
    }

    /// Runs a command, and kills the machine's processes after a while unless it ended before.
    ///
    /// # Errors
    /// When it cannot be started, or takes too long.
    pub fn command_killed(&mut self, args: &[&str], after: Option<Duration>) -> Result<Told> {
        let (out, err) = (self.dir.join("out"), self.dir.join("err"));
        for file in [&out, &err] {
            std::fs::write(file, "")?;
        }
        let mut process = self.spawn(args, &out, &err)?;
        let began_ms = mono_ms();
        let code = loop {
            if let Some(status) = process.ended()? {
                break status.code();
            }
            let took = Duration::from_millis(mono_ms().abs_diff(began_ms));
            let is_time = after.is_some_and(|after| took >= after);
            if is_time || self.volume.gate().is_frozen() {
                self.die_with(Some(process))?;
                break None;
            }
            ensure!(took < COMMAND, "{} {args:?} takes too long", self.name);
            std::thread::sleep(LOOK_EVERY);
        };
        let read =
            |file: &Path| std::fs::read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Ok(Told { code, out: read(&out)?, err: read(&err)? })
    }

    /// Every process dies at this moment. Those that wait for a disk which stands still are told to go first.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn die(&mut self) -> Result<()> {
        self.die_with(None)
    }

    fn die_with(&mut self, process: Option<Process>) -> Result<()> {
        let mut dying: Vec<Process> = self.running.drain(..).chain(process).collect();
        for process in &mut dying {
            if process.ended()?.is_none() {
                // It may end at this very moment.
                let _ = kill(Pid::from_raw(i32::try_from(process.pid())?), Signal::SIGKILL);
            }
        }
        self.volume.gate().release();
        dying.iter_mut().try_for_each(Process::kill)
    }

    /// Whether everything started in the background still runs.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn is_running(&mut self) -> Result<bool> {
        for process in &mut self.running {
            if process.ended()?.is_some() {
                return Ok(false);
            }
        }
        Ok(!self.running.is_empty())
    }

    /// The machine goes down and comes up again.
    ///
    /// # Errors
    /// When its disk cannot be mounted again.
    pub fn restart(&mut self, cut: Cut<'_>) -> Result<Damage> {
        self.die()?;
        self.volume.restart(cut)
    }

    /// The records that the journal holds, with their hashes.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn held(&self) -> Result<BTreeMap<Uuid, HeldRecord>> {
        self.look(|db| {
            let mut statement = db.prepare(&format!(
                "SELECT r.id, r.hash,
                    (SELECT COUNT(*) FROM part_use u JOIN part p ON p.sha256 = u.sha256
                     WHERE u.owner = r.id AND u.finished = 1
                       AND (p.whole = 1 OR (SELECT COUNT(*) FROM part_piece e WHERE e.sha256 = p.sha256)
                            = (p.bytes + {PIECE_BYTES} - 1) / {PIECE_BYTES}))
                 FROM record r WHERE r.kind IN ('report', 'visit')"
            ))?;
            let rows = statement.query_map([], |row| {
                Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, i64>(2)?))
            })?;
            rows.map(|row| {
                let (id, hash, pictures) = row?;
                let hash = Hash::from_slice(&hash).context("a hash of another length")?;
                Ok((Uuid::from_slice(&id)?, HeldRecord { hash, pictures: pictures.unsigned_abs() }))
            })
            .collect()
        })
    }

    /// Why each numbering of the journal was begun.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn epochs(&self) -> Result<Vec<String>> {
        self.look(|db| {
            let mut statement = db.prepare("SELECT why FROM stream ORDER BY gen")?;
            let rows = statement.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Looks into a copy of the journal as it is at this moment. Never into the mounted one: a process that maps a
    /// file which it serves itself can stand still for ever.
    fn look<T>(&self, look: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let dir = self.dir.join("look");
        if dir.exists() {
            std::fs::remove_dir_all(&dir)?;
        }
        std::fs::create_dir_all(&dir)?;
        for name in ["journal.db", "journal.db-wal"] {
            if let Some(bytes) = self.volume.disk().bytes_of(&["data", name]) {
                std::fs::write(dir.join(name), bytes)?;
            }
        }
        let db = Connection::open_with_flags(dir.join("journal.db"), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let said: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        ensure!(said == "ok", "the journal of {} is broken: {said}", self.name);
        look(&db)
    }

    /// The end of what `run` said.
    #[must_use]
    pub fn run_log(&self) -> String {
        std::fs::read_to_string(self.dir.join("run.log")).unwrap_or_default()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Its disk goes next, and must be free.
        let _ = self.die();
    }
}

impl Told {
    /// Refuses words that speak of a broken database.
    ///
    /// # Errors
    /// When there are any.
    pub fn no_damage(&self) -> Result<()> {
        let said = format!("{}{}", self.out, self.err).to_lowercase();
        match DAMAGE_WORDS.iter().find(|word| said.contains(*word)) {
            Some(word) => bail!("the program speaks of {word:?}: {}{}", self.out, self.err),
            None => Ok(()),
        }
    }

    /// What a save's output comes to.
    #[must_use]
    pub fn saved(&self) -> Saved {
        let line = self.out.split_once('\n').map(|(line, _)| line);
        match line.and_then(|line| line.parse().ok()) {
            Some(id) => Saved::Answered(id),
            None if self.code.is_none() => Saved::Died,
            None => Saved::Refused(self.err.trim().to_owned()),
        }
    }
}

/// By the command line.
impl Laptop for Machine {
    fn machine(&mut self) -> &mut Machine {
        self
    }

    fn save(&mut self, op: &Op) -> Result<Saved> {
        let told = match &op.what {
            What::Visit { customer, findings, .. } => self.command(&[
                "visit",
                "new",
                "--customer",
                customer,
                "--purpose",
                &op.mark,
                "--findings",
                findings,
            ])?,
            What::Report { line } => self.command(&["fault", "report", "--line", line, &op.mark])?,
        };
        told.no_damage()?;
        Ok(told.saved())
    }
}
