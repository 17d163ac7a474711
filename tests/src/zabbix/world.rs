//! Proxy and server with a way between them that can be cut, and looks into both of their databases.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rusqlite::{Connection, OpenFlags};

use super::daemon::Daemon;
use super::sender::hand_in;
use super::tables::{self, DATABASE, PROXY, READY};
use super::{ITEMS, Programs, Sending, Values};
use crate::bench_agent::Place;
use crate::harness::{Cluster, Folder, block_on, eventually, free_port, mono_ms, now};
use crate::proxy::Proxy;

/// Starting one of them, and the proxy's learning what it watches.
const START_WITHIN: Duration = Duration::from_mins(1);
/// Taking in, or sending on.
const DONE_WITHIN: Duration = Duration::from_mins(3);
/// The server has stored for good what it has once nothing was added for so long.
const SETTLED_AFTER_MS: i64 = 5_000;
/// How long the proxy's writer may keep a reader of its file waiting.
const BUSY: Duration = Duration::from_secs(10);

/// See the module's text.
pub struct Zabbix {
    server: Daemon,
    proxy: Daemon,
    way: Proxy,
    trapper: SocketAddr,
    at_server: SocketAddr,
    file: PathBuf,
    look: tokio_postgres::Client,
    // Behind those that use it, so that it ends last.
    _cluster: Cluster,
}

/// How long a backlog took, from the moment at which the way was there.
#[derive(Clone, Copy, Debug)]
pub struct Drained {
    /// Until the first value was stored, in seconds.
    pub first_s: f64,
    /// Until all were.
    pub all_s: f64,
}

impl Zabbix {
    /// Starts both, the proxy in the place's namespace, and waits until values of these lines are taken.
    ///
    /// # Errors
    /// When anything is not installed or does not start.
    pub fn start(folder: &Folder, place: &Place, lines: usize) -> Result<Self> {
        let programs = Programs::find()?;
        let cluster = Cluster::durable()?;
        tables::make(&cluster, &programs, lines)?;
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let at_server = SocketAddr::new(loopback, free_port(loopback)?);
        let way = Proxy::start_on(place.server_ip(), vec![at_server])?;
        let dir = folder.sub("zabbix-server")?;
        let settings = format!(
            "ListenIP={}\nListenPort={}\nDBHost=127.0.0.1\nDBPort={}\nDBName={DATABASE}\nDBUser=postgres\n",
            at_server.ip(),
            at_server.port(),
            cluster.port()
        );
        let server = Daemon::new("zabbix_server", programs.server(), &dir, None, &settings)?;
        let dir = folder.sub("zabbix-proxy")?;
        let file = dir.join("proxy.db");
        let trapper = SocketAddr::new(place.agent_ip(), free_port(loopback)?);
        let settings = format!(
            "Server={}\nHostname={PROXY}\nListenPort={}\nDBName={}\n",
            way.address,
            trapper.port(),
            file.display()
        );
        let proxy = Daemon::new("zabbix_proxy", programs.proxy(), &dir, place.namespace(), &settings)?;
        let look = connect(&cluster)?;
        let mut world = Self { server, proxy, way, trapper, at_server, file, look, _cluster: cluster };
        world.start_server()?;
        world.start_proxy(lines)?;
        Ok(world)
    }

    /// Starts the server, and waits until it listens.
    ///
    /// # Errors
    /// When it ends.
    pub fn start_server(&mut self) -> Result<()> {
        self.server.start()?;
        let at = self.at_server;
        listens(&mut self.server, at)
    }

    /// Starts the proxy, and waits until it takes values.
    ///
    /// # Errors
    /// When it ends, or does not learn its items.
    pub fn start_proxy(&mut self, lines: usize) -> Result<()> {
        self.proxy.start()?;
        let at = self.trapper;
        listens(&mut self.proxy, at)?;
        let items = (lines * ITEMS.len() + 1) as i64;
        eventually(START_WITHIN, "the proxy has its items", || {
            Ok((self.in_file("SELECT COUNT(*) FROM items")? == items).then_some(()))
        })?;
        eventually(START_WITHIN, "the proxy takes values", || {
            let (host, clock) = (tables::host(0), now().0 / 1_000);
            let request = format!(
                "{{\"request\":\"sender data\",\"data\":[{{\"host\":\"{host}\",\"key\":\"{READY}\",\
                 \"value\":\"1\",\"clock\":{clock},\"ns\":0}}]}}"
            );
            Ok((hand_in(at, &request)? == 1).then_some(()))
        })
    }

    /// SIGKILL to all processes of the proxy.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn kill_proxy(&mut self) -> Result<()> {
        self.proxy.kill()
    }

    /// SIGKILL to all processes of the server.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn kill_server(&mut self) -> Result<()> {
        self.server.kill()
    }

    /// Takes the way between them away, or gives it back.
    pub fn set_away(&self, is_away: bool) {
        self.way.set_away(is_away);
    }

    /// Begins to hand values in.
    #[must_use]
    pub fn send(&self, values: &Arc<Values>) -> Sending {
        Sending::start(self.trapper, values)
    }

    /// Hands all these values in, and waits until the proxy's file has them. The seconds until the last one was
    /// acknowledged.
    ///
    /// # Errors
    /// When not all are taken.
    pub fn take_in(&self, values: &Arc<Values>) -> Result<f64> {
        // Its file is locked while it is read: only what takes no time is asked while it writes.
        let newest = || self.in_file("SELECT COALESCE(MAX(id), 0) FROM proxy_history");
        let (before, began_ms) = (newest()?, mono_ms());
        let (acknowledged, trouble) = self.send(values).finish()?;
        let seconds = (mono_ms() - began_ms) as f64 / 1_000.0;
        ensure!(acknowledged == values.count(), "{acknowledged} of {}: {trouble:?}", values.count());
        eventually(DONE_WITHIN, "the proxy's file has all values", || {
            Ok(((newest()? - before).unsigned_abs() >= acknowledged).then_some(()))
        })?;
        let there = self.in_proxy(values)?;
        ensure!(there == acknowledged, "{there} of {acknowledged} values are in the proxy's file");
        Ok(seconds)
    }

    /// How many of these values are in the proxy's file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn in_proxy(&self, values: &Values) -> Result<u64> {
        let [from, to] = values.clocks();
        let sql = format!("SELECT COUNT(*) FROM proxy_history WHERE clock >= {from} AND clock < {to}");
        Ok(self.in_file(&sql)?.unsigned_abs())
    }

    /// The size of the proxy's file.
    ///
    /// # Errors
    /// When it is not there.
    pub fn file_bytes(&self) -> Result<u64> {
        Ok(std::fs::metadata(&self.file)?.len())
    }

    fn in_file(&self, sql: &str) -> Result<i64> {
        let db = Connection::open_with_flags(&self.file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        db.busy_timeout(BUSY)?;
        Ok(db.query_row(sql, [], |row| row.get(0))?)
    }

    /// How many of these values the server has stored.
    ///
    /// # Errors
    /// When its database cannot be read.
    pub fn at_server(&self, values: &Values) -> Result<u64> {
        let [from, to] = values.clocks();
        let sql = format!("SELECT COUNT(*) FROM history_uint WHERE clock >= {from} AND clock < {to}");
        Ok(self.number(&sql)?.unsigned_abs())
    }

    fn number(&self, sql: &str) -> Result<i64> {
        let rows = block_on(self.look.query(sql, &[]))?;
        Ok(rows.first().context("no row")?.try_get(0)?)
    }

    /// Gives the way back, and waits until the server has all these values.
    ///
    /// # Errors
    /// When it does not get them.
    pub fn drain(&self, values: &Values) -> Result<Drained> {
        let began_ms = mono_ms();
        self.set_away(false);
        let since = || (mono_ms() - began_ms) as f64 / 1_000.0;
        let marks = values.marks();
        let (first, last) = marks.split_first().context("no values")?;
        self.wait_for(*first)?;
        let first_s = since();
        // Counting takes the server's processor: only once nearly all are there.
        last.iter().try_for_each(|mark| self.wait_for(*mark))?;
        eventually(DONE_WITHIN, "the server has all values", || {
            Ok((self.at_server(values)? == values.count()).then_some(()))
        })?;
        Ok(Drained { first_s, all_s: since() })
    }

    /// Waits until the server has the first of these values.
    ///
    /// # Errors
    /// When it does not get it.
    pub fn wait_for_first(&self, values: &Values) -> Result<()> {
        self.wait_for(*values.marks().first().context("no values")?)
    }

    fn wait_for(&self, (item, clock): (usize, i64)) -> Result<()> {
        let sql = format!("SELECT COUNT(*) FROM history_uint WHERE itemid = {item} AND clock = {clock}");
        eventually(DONE_WITHIN, "a value is at the server", || Ok((self.number(&sql)? == 1).then_some(())))
    }

    /// How many of these values the server has in the end: once it has `wanted`, or nothing comes any more though the
    /// proxy has nothing left to send.
    ///
    /// # Errors
    /// When a database cannot be read, or values keep coming.
    pub fn in_the_end(&self, values: &Values, wanted: u64) -> Result<u64> {
        eventually(DONE_WITHIN, "the proxy has nothing left to send", || {
            let left = self.in_file(
                "SELECT COALESCE(MAX(id), 0) > (SELECT COALESCE(MAX(nextid), 0) FROM ids
                 WHERE table_name = 'proxy_history' AND field_name = 'history_lastid') FROM proxy_history",
            )?;
            Ok((left == 0).then_some(()))
        })?;
        let mut seen = (0, mono_ms());
        eventually(DONE_WITHIN, "no value comes any more", || {
            let there = self.at_server(values)?;
            if there != seen.0 {
                seen = (there, mono_ms());
            }
            let is_settled = there >= wanted || mono_ms() - seen.1 > SETTLED_AFTER_MS;
            Ok(is_settled.then_some(there))
        })
    }
}

fn listens(daemon: &mut Daemon, at: SocketAddr) -> Result<()> {
    let told = eventually(START_WITHIN, "it listens", || {
        if !daemon.is_running()? {
            return Ok(Some(false));
        }
        Ok(TcpStream::connect(at).is_ok().then_some(true))
    });
    if matches!(told, Ok(true)) { Ok(()) } else { bail!("it does not start: {}", daemon.last_words()) }
}

fn connect(cluster: &Cluster) -> Result<tokio_postgres::Client> {
    let url = format!("postgres://postgres@127.0.0.1:{}/{DATABASE}", cluster.port());
    block_on(async {
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await?;
        // It ends with the client.
        tokio::spawn(connection);
        Ok(client)
    })
}
