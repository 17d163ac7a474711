//! An agent of one's own.

use std::ffi::OsStr;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::process::words;
use super::{BOUND, Namespace, Process, Ran, Server, free_port, program, run};

/// An agent: its folder, and its process while it runs.
pub struct Agent {
    dir: PathBuf,
    program: PathBuf,
    config: PathBuf,
    namespace: Option<String>,
    process: Option<Process>,
}

impl Agent {
    /// Writes its configuration into `dir`. In a namespace every command and `run` happen inside it.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn new(dir: &Path, namespace: Option<&Namespace>, anchors: &[&str]) -> Result<Self> {
        std::fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
        let port = if namespace.is_some() { 8090 } else { free_port(IpAddr::V4(Ipv4Addr::LOCALHOST))? };
        let data = toml::Value::String(dir.join("data").display().to_string());
        let anchors = toml::Value::from(anchors.to_vec());
        let text =
            format!("data_dir = {data}\n[ui]\nlisten = \"127.0.0.1:{port}\"\n[probe]\nanchors = {anchors}\n");
        let config = dir.join("agent.toml");
        std::fs::write(&config, text).with_context(|| config.display().to_string())?;
        let namespace = namespace.map(|namespace| namespace.name().to_owned());
        Ok(Self {
            dir: dir.to_owned(),
            program: program("linewatch-agent")?,
            config,
            namespace,
            process: None,
        })
    }

    /// Where the journal and the identity are.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// Its log.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.dir.join("agent.log")
    }

    fn call<T>(&self, args: &[&str], call: impl FnOnce(&Path, &[&OsStr]) -> Result<T>) -> Result<T> {
        let args = words(&self.config, args);
        let Some(namespace) = &self.namespace else { return call(&self.program, &args) };
        let head = ["netns", "exec", namespace].map(OsStr::new);
        let inside: Vec<_> = head.into_iter().chain([self.program.as_os_str()]).chain(args).collect();
        call(Path::new("ip"), &inside)
    }

    /// Runs a command of the program.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(&self, args: &[&str]) -> Result<Ran> {
        self.call(args, |program, args| run(program, args, ""))
    }

    /// Enrols with a server under `name`.
    ///
    /// # Errors
    /// When either command is refused.
    pub fn enroll(&self, server: &Server, name: &str) -> Result<()> {
        let token = server.agent_token(name)?;
        let url = format!("https://{}", server.sync);
        self.run(&["enroll", &url, "--token", &token])?.ok().with_context(|| format!("enrol {name}"))?;
        Ok(())
    }

    /// Starts `run`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&mut self) -> Result<()> {
        self.process = Some(self.start_command(&["run"])?);
        Ok(())
    }

    /// Starts any command in the background, its output in the agent's log.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_command(&self, args: &[&str]) -> Result<Process> {
        let log = self.log();
        self.call(args, |program, args| Process::start("linewatch-agent", program, args, &log))
    }

    /// Whether `run` still runs.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn is_running(&mut self) -> Result<bool> {
        Ok(match &mut self.process {
            Some(process) => process.ended()?.is_none(),
            None => false,
        })
    }

    /// SIGTERM, and waits for a clean end.
    ///
    /// # Errors
    /// When it does not end, or not cleanly.
    pub fn stop(&mut self) -> Result<()> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        let status = process.terminate(BOUND)?;
        if !status.success() {
            bail!("the agent ended with {status}");
        }
        Ok(())
    }

    /// SIGKILL.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn kill(&mut self) -> Result<()> {
        self.process.take().map_or(Ok(()), |mut process| process.kill())
    }
}
