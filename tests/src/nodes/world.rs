//! The desk: nodes on one database behind two proxies, a mail server, agents, and what is looked for in the database.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::harness::{Folder, Server, ServerOptions, Store, block_on, sample};
use crate::proxy::Proxy;
use crate::smtp::SmtpServer;

use super::device::{Device, name};
use super::line_of;
use super::reporter::Reporter;

/// Limits of seconds, so that promises pass while nodes die.
const PACK: &str = "[pack]\nname = \"nodes\"\nversion = \"1\"\ntime_zone = \"Asia/Shanghai\"\ncalendar = \"24x7\"\n\
    [[tier]]\nname = \"short\"\nlabel = { zh = \"短\", en = \"Short\" }\nrestore_within = \"4s\"\n\
    repair_within = \"3d\"\nfeedback_every = \"2h\"\ncallback_within = \"24h\"\nfaults_per_year_below = 99\n\
    interruption_per_year_at_most = \"600h\"\nvisit_every = \"30d\"\nwarn_at = [0.5, 0.8]\n";
/// Lines of one manager: so few that no rate limit comes between.
const LINES_PER_MANAGER: usize = 4;
/// The lines that people report have numbers from here on.
const REPORTED: usize = 90;

/// How large it is.
#[derive(Clone, Copy, Debug)]
pub struct WorldOptions {
    /// Nodes.
    pub nodes: usize,
    /// Agents.
    pub agents: usize,
    /// Lines of each agent.
    pub lines_each: usize,
    /// Lines that people report.
    pub reported_lines: usize,
}

/// All of it.
pub struct World {
    /// The nodes.
    pub nodes: Vec<Server>,
    /// In front of the nodes' ports for agents.
    pub sync: Proxy,
    /// In front of the nodes' ports for people.
    pub http: Proxy,
    /// Takes the alerts in.
    pub mail: SmtpServer,
    /// The agents.
    pub devices: Vec<Device>,
    /// The database.
    pub store: Store,
    token: String,
    reported: Vec<String>,
}

impl World {
    /// Starts the nodes on a database, and enrols the agents.
    ///
    /// # Errors
    /// When anything does not start.
    pub fn new(folder: &Folder, db_url: &str, options: &WorldOptions) -> Result<Self> {
        let mail = block_on(SmtpServer::local())?;
        let server_options = ServerOptions {
            db_url: Some(db_url.to_owned()),
            smtp: Some(mail.address),
            packs: vec![("nodes.toml".to_owned(), PACK.to_owned())],
            ..ServerOptions::default()
        };
        let mut nodes = Vec::new();
        for n in 0..options.nodes {
            nodes.push(Server::new(&folder.sub(&format!("node-{n}"))?, &server_options)?);
        }
        nodes[0].run(&["user", "add", "desk", "--role", "noc"], "a sample password")?.ok()?;
        let token = nodes[0].run(&["user", "token", "desk"], "")?.ok()?.trim().to_owned();
        let reported = (0..options.reported_lines).map(|n| line_of(REPORTED, n)).collect();
        import(&nodes[0], options)?;
        nodes[0].start()?;
        for n in 1..options.nodes {
            // Every node has the same authority.
            copy_folder(
                &folder.path().join("node-0/data/tls"),
                &folder.path().join(format!("node-{n}/data/tls")),
            )?;
            nodes[n].start()?;
        }
        let sync = Proxy::start(nodes.iter().map(|node| node.sync).collect())?;
        let http = Proxy::start(nodes.iter().map(|node| node.http).collect())?;
        let mut devices = Vec::new();
        for n in 0..options.agents {
            let dir = folder.sub(&format!("agent-{n}"))?;
            devices.push(Device::new(&dir, &nodes[0], sync.address, n, options.lines_each)?);
        }
        let store = Store::Postgres(db_url.to_owned());
        Ok(Self { nodes, sync, http, mail, devices, store, token, reported })
    }

    /// One of so many people, with every so-many-th line.
    #[must_use]
    pub fn reporter(&self, n: usize, of: usize) -> Reporter {
        let lines = self.reported.iter().skip(n).step_by(of).cloned().collect();
        Reporter::start(format!("http://{}", self.http.address), self.token.clone(), lines)
    }

    /// Whatever the agents were told to be stored is stored.
    ///
    /// # Errors
    /// When it is not.
    pub fn check_acknowledged(&self) -> Result<()> {
        // What was acknowledged first, then what is held.
        let acknowledged = self.devices.iter().map(Device::acknowledged).collect::<Result<Vec<_>>>()?;
        self.check_acknowledged_of(&acknowledged)
    }

    /// The same for what they were told at some time: numbering and last number.
    ///
    /// # Errors
    /// When it is not.
    pub fn check_acknowledged_of(&self, acknowledged: &[(u64, u64)]) -> Result<()> {
        for (device, (epoch, last)) in self.devices.iter().zip(acknowledged) {
            let held = self.store.number(&format!(
                "SELECT COALESCE(MAX(s.last_number), 0) FROM stream s JOIN agent a ON a.id = s.agent \
                 WHERE a.name = '{}' AND s.epoch = {} AND s.lane = 'desk'",
                name(device.number),
                epoch.cast_signed()
            ))?;
            ensure!(
                held >= i64::try_from(*last)?,
                "{}: {last} were acknowledged and {held} are held",
                name(device.number)
            );
        }
        Ok(())
    }

    /// Waits until the agents have sent everything; each record is there once. Says how many there are.
    ///
    /// # Errors
    /// When one is missing, double, or aside.
    pub fn check_arrived(&self) -> Result<usize> {
        for device in &self.devices {
            device.wait_sent()?;
        }
        let held = self.store.ids("SELECT id FROM record WHERE kind IN ('report', 'visit')")?;
        let once: BTreeSet<_> = held.iter().copied().collect();
        ensure!(held.len() == once.len(), "{} records are doubled", held.len() - once.len());
        let saved: BTreeSet<_> =
            self.devices.iter().flat_map(|device| device.saved.iter().copied()).collect();
        let (lost, strange) = (saved.difference(&once).count(), once.difference(&saved).count());
        ensure!(lost == 0 && strange == 0, "{lost} of {} lost, {strange} that nobody saved", saved.len());
        let aside = self.store.number("SELECT COUNT(*) FROM aside")?;
        ensure!(aside == 0, "{aside} records were put aside");
        let epochs = self.store.number("SELECT COUNT(DISTINCT epoch) FROM stream")?;
        ensure!(
            epochs == i64::try_from(self.devices.len())?,
            "an agent began to number anew: {epochs} numberings"
        );
        Ok(saved.len())
    }

    /// So many reports were acknowledged by the API, and so many are there.
    ///
    /// # Errors
    /// When there are others.
    pub fn check_reports(&self, acknowledged: u64) -> Result<()> {
        let there = self.reports()?;
        ensure!(
            there == i64::try_from(acknowledged)?,
            "{acknowledged} reports were acknowledged, {there} are there"
        );
        Ok(())
    }

    /// How many reports by the API are there.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn reports(&self) -> Result<i64> {
        self.store.number("SELECT COUNT(*) FROM fact WHERE agent IS NULL AND kind = 'reported'")
    }

    /// Ends the nodes in order.
    ///
    /// # Errors
    /// When one does not end cleanly.
    pub fn stop(&mut self) -> Result<()> {
        self.devices.clear();
        self.nodes.iter_mut().try_for_each(Server::stop)
    }
}

fn import(server: &Server, options: &WorldOptions) -> Result<()> {
    let all = |n: usize| if n < options.agents { options.lines_each } else { options.reported_lines };
    let mut customers = vec!["code,name,tier,pack,manager,manager_email".to_owned()];
    customers.push(format!("{},sample,short,nodes,visits,visits@desk.example", sample::CUSTOMER));
    let mut lines = vec!["code,customer,agent".to_owned()];
    for owner in (0..options.agents).chain([REPORTED]) {
        let agent = if owner == REPORTED { String::new() } else { name(owner) };
        for n in 0..all(owner) {
            let customer = format!("C-{owner}-{}", n / LINES_PER_MANAGER);
            if n % LINES_PER_MANAGER == 0 {
                customers.push(format!(
                    "{customer},sample {customer},short,nodes,{customer},{customer}@desk.example"
                ));
            }
            lines.push(format!("{},{customer},{agent}", line_of(owner, n)));
        }
    }
    server.import("customers.csv", &customers.join("\n"))?;
    server.import("lines.csv", &lines.join("\n"))?;
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    if !from.exists() {
        return Ok(());
    }
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from).with_context(|| from.display().to_string())? {
        let path = entry?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() { copy_folder(&path, &target)? } else { std::fs::copy(&path, &target).map(drop)? }
    }
    Ok(())
}
