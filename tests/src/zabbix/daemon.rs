//! One of its daemons: a process and all those that it starts.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::harness::{Namespace, Process};

/// Configuration, log, and the process while it runs.
pub(super) struct Daemon {
    name: &'static str,
    program: PathBuf,
    config: PathBuf,
    namespace: Option<String>,
    process: Option<Process>,
}

impl Daemon {
    /// Writes its configuration into `dir`: what it needs to run here, beside the settings of the package.
    pub fn new(
        name: &'static str,
        program: PathBuf,
        dir: &Path,
        namespace: Option<&Namespace>,
        settings: &str,
    ) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        let config = dir.join(format!("{name}.conf"));
        let dir = dir.display();
        // From `Timeout` on as the package has it. Its user is not there, as it was only unpacked.
        let text = format!(
            "{settings}LogType=console\nPidFile={dir}/{name}.pid\nSocketDir={dir}\nAllowRoot=1\n\
             Timeout=4\nLogSlowQueries=3000\nStatsAllowedIP=127.0.0.1\nFpingLocation=/usr/bin/fping\n"
        );
        std::fs::write(&config, text).with_context(|| config.display().to_string())?;
        let namespace = namespace.map(|namespace| namespace.name().to_owned());
        Ok(Self { name, program, config, namespace, process: None })
    }

    fn log(&self) -> PathBuf {
        self.config.with_extension("log")
    }

    /// The end of what it said.
    pub fn last_words(&self) -> String {
        let text = std::fs::read_to_string(self.log()).unwrap_or_default();
        text.lines().rev().take(3).collect::<Vec<_>>().join(" / ")
    }

    pub fn start(&mut self) -> Result<()> {
        let own = [self.program.as_os_str(), OsStr::new("-f"), OsStr::new("-c"), self.config.as_os_str()];
        self.process = Some(match &self.namespace {
            Some(namespace) => {
                let head = ["netns", "exec", namespace].map(OsStr::new);
                let args: Vec<_> = head.into_iter().chain(own).collect();
                Process::start(self.name, Path::new("ip"), &args, &self.log())?
            }
            None => Process::start(self.name, &self.program, &own[1..], &self.log())?,
        });
        Ok(())
    }

    pub fn is_running(&mut self) -> Result<bool> {
        Ok(match &mut self.process {
            Some(process) => process.ended()?.is_none(),
            None => false,
        })
    }

    /// SIGKILL to all its processes at once.
    pub fn kill(&mut self) -> Result<()> {
        self.process.take().map_or(Ok(()), |mut process| process.kill_group())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already; there is nobody to tell.
        let _ = self.kill();
    }
}
