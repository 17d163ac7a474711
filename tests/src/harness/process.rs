//! Processes that end when their value does.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use super::eventually;

/// A running process with its output in a file.
pub struct Process {
    name: String,
    child: Child,
    ended: Option<ExitStatus>,
}

impl Process {
    /// Starts `program`; standard output and error are appended to `log`. The kernel kills it when the
    /// calling thread ends without having done so.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(name: &str, program: &Path, args: &[&OsStr], log: &Path) -> Result<Self> {
        let out = append_to(log)?;
        let err = out.try_clone()?;
        Self::spawn(name, program, args, out, err)
    }

    /// Like [`Process::start`], with standard output in a file of its own.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_with_output(
        name: &str,
        program: &Path,
        args: &[&OsStr],
        output: &Path,
        log: &Path,
    ) -> Result<Self> {
        Self::spawn(name, program, args, append_to(output)?, append_to(log)?)
    }

    fn spawn(name: &str, program: &Path, args: &[&OsStr], out: File, err: File) -> Result<Self> {
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .arg(program)
            .args(args)
            .env_remove("RUST_LOG")
            // Ctrl-C is for the parent, which then ends its children in order.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .with_context(|| format!("{name} cannot be started ({})", program.display()))?;
        Ok(Self { name: name.to_owned(), child, ended: None })
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait()?;
        }
        Ok(self.ended)
    }

    /// SIGKILL: it can do nothing about it.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn kill(&mut self) -> Result<()> {
        if self.ended()?.is_none() {
            self.child.kill().with_context(|| format!("kill {}", self.name))?;
            self.ended = Some(self.child.wait()?);
        }
        Ok(())
    }

    /// SIGKILL to it and to all that it has started, at once.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn kill_group(&mut self) -> Result<()> {
        if self.ended()?.is_none() {
            let pid = Pid::from_raw(i32::try_from(self.pid())?);
            killpg(pid, Signal::SIGKILL).with_context(|| format!("kill {} and its own", self.name))?;
        }
        self.kill()
    }

    /// SIGTERM, and waits for its end.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn terminate(&mut self, bound: Duration) -> Result<ExitStatus> {
        if self.ended()?.is_none() {
            let pid = Pid::from_raw(i32::try_from(self.pid())?);
            kill(pid, Signal::SIGTERM).with_context(|| format!("end {}", self.name))?;
        }
        let what = format!("{} ends after SIGTERM", self.name);
        let bound_ms = i64::try_from(bound.as_millis()).unwrap_or(i64::MAX);
        let began_ms = super::mono_ms();
        // Not `eventually`: this has to work after Ctrl-C too.
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if super::mono_ms() - began_ms > bound_ms {
                bail!("not within {bound:?}: {what}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn wait(&mut self, bound: Duration) -> Result<ExitStatus> {
        let what = format!("{} ends", self.name);
        eventually(bound, &what, || self.ended())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already; there is nobody to tell.
        let _ = self.kill();
    }
}

fn append_to(path: &Path) -> Result<File> {
    OpenOptions::new().create(true).append(true).open(path).with_context(|| path.display().to_string())
}

/// What a command printed, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// The exit code; -1 after a signal.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    /// Standard output of a command that succeeded.
    ///
    /// # Errors
    /// When it did not, with what it said.
    pub fn ok(self) -> Result<String> {
        if self.code == 0 {
            return Ok(self.out);
        }
        bail!("exit code {}: {}{}", self.code, self.err, self.out)
    }

    /// The error of a command that refused cleanly: exit code 1 and one line on standard error.
    ///
    /// # Errors
    /// When it did anything else.
    pub fn refusal(self) -> Result<String> {
        if self.code == 1 && self.err.trim().lines().count() == 1 {
            return Ok(self.err.trim().to_owned());
        }
        bail!("not a refusal with one line but exit code {}:\n{}{}", self.code, self.err, self.out)
    }
}

/// Runs a command to its end with `input` on standard input.
///
/// # Errors
/// When it cannot be started.
pub fn run(program: &Path, args: &[&OsStr], input: &str) -> Result<Ran> {
    let started = || format!("{} cannot be run", program.display());
    let mut child = Command::new(program)
        .args(args)
        .env_remove("RUST_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(started)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A command that does not read it may have gone already.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().with_context(started)?;
    Ok(Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Arguments from texts and paths.
pub(super) fn words<'a>(config: &'a Path, args: &'a [&'a str]) -> Vec<&'a OsStr> {
    let head = [OsStr::new("--config"), config.as_os_str()];
    head.into_iter().chain(args.iter().map(OsStr::new)).collect()
}
