//! How connections to PostgreSQL are made, to whichever of its hosts takes writes, and how long anything on them may take.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio_postgres::config::{Host, TargetSessionAttrs};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Connection, Error, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{DbError, pg_tls};

/// How long one host may take until it has let us in and said whether it takes writes.
const HOST_WITHIN: Duration = Duration::from_secs(3);
/// Hosts that the address may name.
const HOSTS_MAX: usize = 16;
/// A connection on which the other machine has vanished is noticed after so long without a word …
const KEEPALIVE_AFTER: Duration = Duration::from_secs(4);
/// … and so many questions to its kernel, so far apart.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(2);
const KEEPALIVES: u32 = 3;
/// How long the network may swallow what was sent.
const SWALLOWED_MAX: Duration = Duration::from_secs(10);
/// How long the database works on one statement at most, then how long a node may be silent within a transaction: one that
/// hangs there loses it, and with it its locks. The rest says when the database takes a node's machine for vanished.
const SESSION_OPTIONS: &str = "-c statement_timeout=60s -c idle_in_transaction_session_timeout=60s \
     -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=3 -c tcp_keepalives_count=3 -c tcp_user_timeout=20s";
/// How long an answer is waited for: longer than the database itself works on a statement, so that this is for those that
/// say nothing any more.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(75);

type Made = (Client, Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>);

/// The hosts of `db.url`, in their order, each tried for itself: one that lets us in and then says nothing keeps nobody from
/// the next.
pub(super) struct Hosts {
    each: Vec<Config>,
    tls: MakeRustlsConnect,
    /// The one that was good last; tried first.
    good: AtomicUsize,
}

impl Hosts {
    /// Reads the address. Where it names several hosts, the one that takes writes is wanted, unless it says otherwise.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn of(url: &str) -> Result<Arc<Self>, DbError> {
        let address = pg_tls::read(url).map_err(|reason| DbError::Data(format!("db.url: {reason}")))?;
        let tls = address.tls()?;
        let mut config = address.config;
        config.application_name("linewatch");
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(HOST_WITHIN);
        }
        config.keepalives_idle(KEEPALIVE_AFTER).keepalives_interval(KEEPALIVE_EVERY);
        config.keepalives_retries(KEEPALIVES).tcp_user_timeout(SWALLOWED_MAX);
        if config.get_options().is_none() {
            config.options(SESSION_OPTIONS);
        }
        let count = config.get_hosts().len().max(config.get_hostaddrs().len());
        if count > HOSTS_MAX {
            return Err(DbError::Data(format!("db.url names {count} hosts; at most {HOSTS_MAX}")));
        }
        if count > 1 && config.get_target_session_attrs() == TargetSessionAttrs::Any {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let each = if count > 1 { (0..count).map(|at| alone(&config, at)).collect() } else { vec![config] };
        Ok(Arc::new(Self { each, tls, good: AtomicUsize::new(0) }))
    }

    /// How long [`Hosts::connect`] takes at most.
    pub(super) fn all_within(&self) -> Duration {
        HOST_WITHIN * u32::try_from(self.each.len()).unwrap_or(1) + HOST_WITHIN
    }

    /// Connects to the first host that lets us in, beginning with the one that was good last. Where none even refuses, it
    /// never ends: callers have a bound of their own.
    pub(super) async fn connect(&self) -> Result<Made, Error> {
        let first = self.good.load(Ordering::Relaxed);
        let mut refused = None;
        for n in 0..self.each.len() {
            let at = (first + n) % self.each.len();
            match tokio::time::timeout(HOST_WITHIN, self.each[at].connect(self.tls.clone())).await {
                Ok(Ok(made)) => {
                    self.good.store(at, Ordering::Relaxed);
                    return Ok(made);
                }
                Ok(Err(e)) => refused = Some(e),
                Err(_) => {}
            }
        }
        match refused {
            Some(e) => Err(e),
            None => std::future::pending().await,
        }
    }
}

/// The same address with one of its hosts alone: there is no way to take one away.
fn alone(all: &Config, at: usize) -> Config {
    let mut one = Config::new();
    match all.get_hosts().get(at) {
        Some(Host::Tcp(name)) => drop(one.host(name)),
        Some(Host::Unix(path)) => drop(one.host_path(path)),
        None => {}
    }
    if let Some(address) = all.get_hostaddrs().get(at) {
        one.hostaddr(*address);
    }
    if let Some(port) = all.get_ports().get(at).or_else(|| all.get_ports().first()) {
        one.port(*port);
    }
    if let Some(user) = all.get_user() {
        one.user(user);
    }
    if let Some(password) = all.get_password() {
        one.password(password);
    }
    if let Some(name) = all.get_dbname() {
        one.dbname(name);
    }
    if let Some(options) = all.get_options() {
        one.options(options);
    }
    if let Some(name) = all.get_application_name() {
        one.application_name(name);
    }
    if let Some(timeout) = all.get_connect_timeout() {
        one.connect_timeout(*timeout);
    }
    if let Some(timeout) = all.get_tcp_user_timeout() {
        one.tcp_user_timeout(*timeout);
    }
    if let Some(interval) = all.get_keepalives_interval() {
        one.keepalives_interval(interval);
    }
    if let Some(retries) = all.get_keepalives_retries() {
        one.keepalives_retries(retries);
    }
    one.keepalives(all.get_keepalives())
        .keepalives_idle(all.get_keepalives_idle())
        .ssl_mode(all.get_ssl_mode())
        .target_session_attrs(all.get_target_session_attrs())
        .channel_binding(all.get_channel_binding());
    one
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;

    use super::*;
    use crate::db::{DbUrl, testing};

    #[test]
    fn each_host_keeps_what_the_address_says_of_all() {
        let url = "postgres://desk:secret@a:1,b:2/lines?connect_timeout=7";
        let hosts = Hosts::of(url).unwrap();
        let ports: Vec<_> = hosts.each.iter().map(|one| one.get_ports().to_vec()).collect();
        assert_eq!(ports, [[1], [2]]);
        for one in &hosts.each {
            assert_eq!(one.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
            assert_eq!((one.get_user(), one.get_password()), (Some("desk"), Some(&b"secret"[..])));
            assert_eq!((one.get_dbname(), one.get_hosts().len()), (Some("lines"), 1));
            assert_eq!(one.get_connect_timeout(), Some(&Duration::from_secs(7)));
            assert!(one.get_options().is_some_and(|options| options.contains("statement_timeout=60s")));
        }
        let one = Hosts::of("postgres://desk@a/lines?options=-c%20work_mem%3D8MB").unwrap();
        assert_eq!(one.each[0].get_target_session_attrs(), TargetSessionAttrs::Any);
        assert_eq!(one.each[0].get_options(), Some("-c work_mem=8MB"));
        assert!(Hosts::of(&format!("postgres://{}/lines", vec!["a"; HOSTS_MAX + 1].join(","))).is_err());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_host_that_says_nothing_and_one_that_refuses_keep_nobody_from_the_next() {
        if std::env::var("LINEWATCH_TEST_PG").as_deref() == Ok("off") {
            return;
        }
        let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let refusing = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let ports = [&silent, &refusing].map(|listener| listener.local_addr().unwrap().port());
        drop(refusing);
        let DbUrl::Postgres(good) = testing::postgres().await.url else { return };
        let (name, folder) = good.trim_start_matches("postgres://postgres@/").split_once("?host=").unwrap();
        let folder = folder.replace('/', "%2F");
        let url =
            format!("postgres://postgres@127.0.0.1:{},127.0.0.1:{},{folder}:5432/{name}", ports[0], ports[1]);
        let hosts = Hosts::of(&url).unwrap();
        let (client, connection) = hosts.connect().await.unwrap();
        let running = tokio::spawn(connection);
        assert_eq!(hosts.good.load(Ordering::Relaxed), 2, "the next connection begins there");
        let row = client.query_one("SHOW statement_timeout", &[]).await.unwrap();
        assert_eq!(row.get::<_, &str>(0), "1min");
        drop(client);
        drop(running.await);
    }
}
