//! A server of one's own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::process::words;
use super::{Api, BOUND, Process, Ran, eventually, free_port, program, run};

/// What differs from one story to the next.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The address of the board and the API.
    pub http_ip: IpAddr,
    /// The board's port, where it is free; any other port otherwise.
    pub http_port: Option<u16>,
    /// The address where agents come in; also a name in the certificate.
    pub sync_ip: IpAddr,
    /// `db.url`; an `SQLite` file in the server's folder where left out.
    pub db_url: Option<String>,
    /// Where mails go.
    pub smtp: Option<SocketAddr>,
    /// Packs beside the shipped ones: file names and texts.
    pub packs: Vec<(String, String)>,
    /// Further lines of the configuration, before its sections.
    pub more: String,
}

impl Default for ServerOptions {
    fn default() -> Self {
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self {
            http_ip: loopback,
            http_port: None,
            sync_ip: loopback,
            db_url: None,
            smtp: None,
            packs: Vec::new(),
            more: String::new(),
        }
    }
}

/// A server: its folder, its ports, and its process while it runs.
pub struct Server {
    dir: PathBuf,
    program: PathBuf,
    config: PathBuf,
    /// The board and the API.
    pub http: SocketAddr,
    /// Where agents come in.
    pub sync: SocketAddr,
    process: Option<Process>,
}

impl Server {
    /// Writes its configuration into `dir`; nothing runs yet.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn new(dir: &Path, options: &ServerOptions) -> Result<Self> {
        let wanted = options.http_port.filter(|port| TcpListener::bind((options.http_ip, *port)).is_ok());
        let port = wanted.map_or_else(|| free_port(options.http_ip), Ok)?;
        let http = SocketAddr::new(options.http_ip, port);
        let sync = SocketAddr::new(options.sync_ip, free_port(options.sync_ip)?);
        let packs = dir.join("packs");
        std::fs::create_dir_all(&packs).with_context(|| packs.display().to_string())?;
        for (name, text) in &options.packs {
            std::fs::write(packs.join(name), text)?;
        }
        let quoted = |path: &Path| toml::Value::String(path.display().to_string()).to_string();
        let mut text = vec![
            format!("data_dir = {}\n{}\n", quoted(&dir.join("data")), options.more),
            format!("[http]\nlisten = \"{http}\"\n"),
            format!("[sync]\nlisten = \"{sync}\"\nnames = [\"{}\"]\n", sync.ip()),
            format!("[packs]\ndir = {}\n", quoted(&packs)),
        ];
        if let Some(url) = &options.db_url {
            text.push(format!("[db]\nurl = {}\n", toml::Value::String(url.clone())));
        }
        if let Some(smtp) = options.smtp {
            text.push(format!(
                "[smtp]\nhost = \"{}\"\nport = {}\nfrom = \"linewatch@desk.example\"\ntls = \"none\"\n",
                smtp.ip(),
                smtp.port()
            ));
        }
        let config = dir.join("server.toml");
        std::fs::write(&config, text.concat()).with_context(|| config.display().to_string())?;
        Ok(Self {
            dir: dir.to_owned(),
            program: program("linewatch-server")?,
            config,
            http,
            sync,
            process: None,
        })
    }

    /// The configuration file.
    #[must_use]
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// The embedded database's file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.dir.join("data").join("linewatch.db")
    }

    /// Its log.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.dir.join("server.log")
    }

    /// Runs a command of the program.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(&self, args: &[&str], input: &str) -> Result<Ran> {
        run(&self.program, &words(&self.config, args), input)
    }

    /// Adds a user and makes a client with a token.
    ///
    /// # Errors
    /// When a command is refused.
    pub fn user(&self, name: &str, role: &str, password: &str) -> Result<Api> {
        self.run(&["user", "add", name, "--role", role], password)?.ok()?;
        let token = self.run(&["user", "token", name], "")?.ok()?;
        Api::new(&format!("http://{}", self.http), token.trim())
    }

    /// An enrolment token.
    ///
    /// # Errors
    /// When the command is refused.
    pub fn agent_token(&self, name: &str) -> Result<String> {
        Ok(self.run(&["agent", "token", name], "")?.ok()?.trim().to_owned())
    }

    /// Imports a CSV text.
    ///
    /// # Errors
    /// When the command is refused.
    pub fn import(&self, name: &str, csv: &str) -> Result<String> {
        let file = self.dir.join(name);
        std::fs::write(&file, csv)?;
        self.run(&["import", &file.display().to_string()], "")?.ok()
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// When it ends, or is not ready in time.
    pub fn start(&mut self) -> Result<()> {
        self.launch()?;
        self.wait_ready(BOUND)
    }

    /// Starts it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn launch(&mut self) -> Result<()> {
        let args = words(&self.config, &["serve"]);
        self.process = Some(Process::start("linewatch-server", &self.program, &args, &self.log())?);
        Ok(())
    }

    /// Waits until it answers that it is ready.
    ///
    /// # Errors
    /// When it ends, or is not ready in time.
    pub fn wait_ready(&mut self, bound: Duration) -> Result<()> {
        let api = Api::new(&format!("http://{}", self.http), "")?;
        eventually(bound, "the server is ready", || {
            if self.process.as_mut().map(Process::ended).transpose()?.flatten().is_some() {
                return Ok(Some(false));
            }
            Ok((api.get("/readyz")?.status == 200).then_some(true))
        })
        .and_then(|is_ready| {
            if is_ready { Ok(()) } else { bail!("the server ended; see {}", self.log().display()) }
        })
    }

    /// Its process id, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }

    /// SIGTERM, and waits for a clean end.
    ///
    /// # Errors
    /// When it does not end, or not cleanly.
    pub fn stop(&mut self) -> Result<()> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        let status = process.terminate(BOUND)?;
        if !status.success() {
            bail!("the server ended with {status}");
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
