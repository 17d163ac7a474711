//! Starts a server from its settings, and ends it. Tests drive it like `main` does.

#[cfg(test)]
mod identity_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use linewatch_shared::time::Clock;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::contacts::Contacts;
use crate::app::desk::recount::recount;
use crate::app::desk::tasks::Digests;
use crate::app::desk::{Channels, Desk};
use crate::app::epoch::Epoch;
use crate::app::live::{self, Live};
use crate::app::packs::PackSet;
use crate::app::packs::ways::unknown_ways;
use crate::app::refusals::{self, Refusals, Refused};
use crate::app::snapshots::Snapshots;
use crate::app::trail::{LastCheck, anchors, prune};
use crate::app::{Action, App, AppError, Pulse, audit, epoch, erasure, housekeeping, packs, server};
use crate::auth::seal::SecretsKey;
use crate::auth::throttle::Throttle;
use crate::config::Settings;
use crate::db::{Db, DbError, Priority, Tx};
use crate::engine;
use crate::http;
use crate::notify::channel::Way;
use crate::notify::take_link::TakeLinks;
use crate::notify::{Notifier, NotifySettings};
use crate::oidc::Provider;
use crate::store::packs::PackCache;
use crate::tls::{self, Authorities, Bounds, LimitedListener, Manner, Notice, ServerTls, TlsListener};

/// How long requests and loops may take to end after they were asked to.
const END_WITHIN: Duration = Duration::from_secs(10);
/// Connections that may wait in the kernel until they are accepted, as far as it allows: after an outage all agents come at
/// once.
const BACKLOG: u32 = 4_096;
/// How often metrics are folded.
const METRICS_PERIOD: Duration = Duration::from_secs(5);
/// How often it is looked whether the authority is being rotated.
const AUTHORITIES_PERIOD: Duration = Duration::from_secs(2);
/// How often what has expired is deleted, and the certificate's age looked at.
const HOUSEKEEPING_PERIOD: Duration = Duration::from_hours(1);

/// A running server.
#[derive(Debug)]
pub struct Running {
    /// Where the board and the API are.
    pub http_addr: SocketAddr,
    /// Where agents come in.
    pub sync_addr: SocketAddr,
    /// What all of it shares.
    pub app: Arc<App>,
    tasks: JoinSet<anyhow::Result<()>>,
}

/// Starts everything: database, packs, authority, listeners, loops. It ends when `shutdown` is
/// cancelled; then await [`Running::join`].
///
/// # Errors
/// When something cannot be had; then nothing goes on running.
pub async fn boot(
    settings: Settings,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
) -> anyhow::Result<Running> {
    http::health::install_metrics();
    // Read before anything is made: packs with mistakes change nothing.
    PackSet::load(settings.packs_dir.as_deref()).map_err(AppError::Mistakes)?;
    make_data_dir(&settings)?;
    let http_listener = bind(settings.http.listen, "http.listen")?;
    let sync_listener = bind(settings.sync.listen, "sync.listen")?;
    let (http_addr, sync_addr) = (http_listener.local_addr()?, sync_listener.local_addr()?);
    if settings.db_url.is_plain_abroad() {
        tracing::warn!("db.url leads over a network without encryption: sslmode=verify-full encrypts it");
    }
    let app = Arc::new(make_app(settings, clock, shutdown, http_addr).await?);
    note_start(&app).await?;
    let tls = Arc::new(ServerTls::new(Arc::clone(&app.authorities), &app.settings, app.now())?);
    let routers = http::routers(&app);
    let notice = notice(&app);
    let desk = desk_listener(http_listener, &app.settings, notice.clone());
    let connections_max = app.settings.sync.max_connections;
    let sync = TlsListener::new(sync_listener, connections_max, tls.config()?, notice.clone())?;
    let mut tasks = JoinSet::new();
    let patience = app.settings.limits.patience;
    let manner = Manner { patience, notice };
    tasks.spawn(tls::serve(desk, routers.desk, manner.clone(), app.shutdown.clone()));
    tasks.spawn(tls::serve(sync, routers.sync, manner, app.shutdown.clone()));
    background(&app, &tls, &mut tasks);
    engine::spawn(&app, &mut tasks);
    tasks.spawn(live::run(Arc::clone(&app)));
    tasks.spawn(refusals::run(Arc::clone(&app)));
    tasks.spawn(anchors::run(Arc::clone(&app)));
    let links = TakeLinks { key: app.take_key.clone(), base: app.link_base.clone() };
    let settings = NotifySettings { take: Some(links), ..NotifySettings::from(&*app.settings) };
    let notifier = Notifier::new(app.db.clone(), Arc::clone(&app.clock), &settings)?;
    let shutdown = app.shutdown.clone();
    tasks.spawn(async move {
        notifier.run(shutdown).await;
        Ok(())
    });
    tracing::info!(%http_addr, %sync_addr, db = app.db.backend(), "linewatch-server is up");
    Ok(Running { http_addr, sync_addr, app, tasks })
}

/// Has the listener follow a rotation of the authority.
fn follow_authorities(app: &App, tls: &ServerTls) {
    match tls.follow(app.clock.as_ref()) {
        Ok(false) => {}
        Ok(true) => tracing::info!("the authorities have changed; new connections go by them"),
        Err(e) => tracing::error!(error = %e, "the authorities cannot be read; those before go on"),
    }
}

/// Everything that runs beside the listeners. Each loop ends on `app.shutdown`.
fn background(app: &Arc<App>, tls: &Arc<ServerTls>, tasks: &mut JoinSet<anyhow::Result<()>>) {
    tasks.spawn(periodic(Arc::clone(app), METRICS_PERIOD, |_| async { http::health::metrics_upkeep() }));
    let follower = Arc::clone(tls);
    let follow = move |app: Arc<App>| {
        follow_authorities(&app, &follower);
        std::future::ready(())
    };
    tasks.spawn(periodic(Arc::clone(app), AUTHORITIES_PERIOD, follow));
    let tls = Arc::clone(tls);
    tasks.spawn(periodic(Arc::clone(app), HOUSEKEEPING_PERIOD, move |app| housekeep(app, Arc::clone(&tls))));
}

async fn housekeep(app: Arc<App>, tls: Arc<ServerTls>) {
    if let Err(e) = erasure::come_round(&app.db, app.settings.erase_after_ms, app.now()).await {
        tracing::error!(error = %e, "an erasure failed; it is tried again");
    }
    if let Err(e) = housekeeping::tick(&app.db, app.now()).await {
        tracing::warn!(error = %e, "housekeeping failed; trying again later");
    }
    match prune::tick(&app.db, app.settings.audit_keep, app.now()).await {
        Ok(0) => {}
        Ok(entries) => tracing::info!(entries, "emptied entries of the audit trail whose time was over"),
        Err(e) => tracing::warn!(error = %e, "the audit trail could not be pruned; trying again later"),
    }
    if let Err(e) = tls.renew_if_old(app.clock.as_ref()) {
        tracing::error!(error = %e, "the server's certificate could not be renewed");
    }
}

/// Puts the start into the audit trail.
async fn note_start(app: &App) -> Result<(), DbError> {
    let (now, detail) = (app.now(), serde_json::json!({ "version": env!("CARGO_PKG_VERSION") }));
    let note =
        move |tx: &mut Tx<'_>| audit(tx, now.0, "rule", Action::ServerStarted, "server", Some(&detail));
    app.db.write(Priority::Api, note).await
}

async fn make_app(
    settings: Settings,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
    http_addr: SocketAddr,
) -> anyhow::Result<App> {
    let db = Db::open(&settings.db_url, clock.now().0).await.context("db.url")?;
    let link_base = settings.public_url.clone().unwrap_or_else(|| format!("http://{http_addr}"));
    assemble(db, settings, clock, shutdown, link_base).await
}

/// Puts together what a server shares, on an open database, without listening anywhere.
///
/// # Errors
/// When packs have mistakes, or keys cannot be had.
pub async fn assemble(
    db: Db,
    settings: Settings,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
    link_base: String,
) -> anyhow::Result<App> {
    let now = clock.now();
    let pack_set = PackSet::load(settings.packs_dir.as_deref()).map_err(AppError::Mistakes)?;
    let pack_set = Arc::new(pack_set);
    let secrets = SecretsKey::load_or_create(&settings.auth.secrets_key_file)?;
    let provider = settings.auth.oidc.clone().map(|rules| Provider::new(rules, &link_base)).transpose()?;
    let authorities = Arc::new(Authorities::load_or_create(&settings.data_dir.join("tls"), now)?);
    for warning in pack_set.warnings(now) {
        tracing::warn!("{warning}");
    }
    for mistake in unknown_ways(&pack_set, &settings) {
        tracing::warn!(%mistake, "alerts that go this way alone reach nobody");
    }
    packs::store(&db, &pack_set, now.0).await?;
    let server_epoch = Epoch::new(epoch::settle(&db, now).await?);
    let take_key = server::take_key(&db).await?;
    let carry_key = server::carry_key(&db).await?;
    let agent_key = server::agent_key(&db).await?;
    server::set_link_base(&db, &link_base).await?;
    let desk = Desk {
        packs: Arc::new(PackCache::new(pack_set.calendars().clone())),
        channels: Channels {
            email: settings.smtp.is_some(),
            webhook: settings.webhook.is_some(),
            ways: settings.channels.iter().map(Way::of).collect(),
        },
        link_base: link_base.clone(),
        noc_email: settings.noc_email.clone().unwrap_or_default(),
        supervisors: settings.supervisors.clone(),
        summary_day: settings.summary_day,
    };
    let recounted = recount(&db, &desk, now).await?;
    if recounted > 0 {
        tracing::info!(faults = recounted, "counted working time anew where the calendar had not reached");
    }
    Ok(App {
        db,
        clock,
        settings: Arc::new(settings),
        packs: pack_set,
        server_epoch,
        link_base,
        shutdown,
        engine: Pulse::default(),
        desk,
        seen: Contacts::default(),
        ids: std::sync::Mutex::default(),
        live: Live::default(),
        snapshots: Snapshots::default(),
        authorities,
        refusals: Refusals::default(),
        trail: LastCheck::default(),
        throttle: Throttle::default(),
        single_sign_on: provider,
        secrets,
        take_key,
        carry_key,
        agent_key,
        proofs: Throttle::default(),
        digests: Digests::default(),
    })
}

/// Makes the data folder, readable by its owner only.
///
/// # Errors
/// When it cannot be made.
pub fn make_data_dir(settings: &Settings) -> anyhow::Result<()> {
    let folder = &settings.data_dir;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("data_dir: {}", folder.display()))
}

fn bind(address: SocketAddr, key: &str) -> anyhow::Result<TcpListener> {
    let listen = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    listen().with_context(|| format!("{key}: cannot listen on {address}"))
}

fn desk_listener(inner: TcpListener, settings: &Settings, notice: Notice) -> LimitedListener {
    let (http, each_max) = (&settings.http, settings.limits.connections_per_address);
    let (connections_max, proxies) = (http.max_connections, http.trusted_proxies.clone());
    LimitedListener::new(inner, Bounds { connections_max, each_max, proxies }, notice)
}

/// Whoever is refused before there is a request is in the audit trail like everybody who is refused.
fn notice(app: &Arc<App>) -> Notice {
    let app = Arc::clone(app);
    Notice::new(move |address, code| {
        let (who, route) = (String::new(), "connection".to_owned());
        app.refusals.note(Refused { who, address, code, status: 0, route }, app.clock.now());
    })
}

async fn periodic<F, Fut>(app: Arc<App>, period: Duration, tick: F) -> anyhow::Result<()>
where
    F: Fn(Arc<App>) -> Fut,
    Fut: Future<Output = ()>,
{
    let mut timer = tokio::time::interval(period);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = timer.tick() => tick(Arc::clone(&app)).await,
            () = app.shutdown.cancelled() => return Ok(()),
        }
    }
}

impl Running {
    /// Waits until everything has ended. If one part fails, the others are asked to end too.
    ///
    /// # Errors
    /// The first failure.
    pub async fn join(mut self) -> anyhow::Result<()> {
        let mut outcome = Ok(());
        while let Some(ended) = self.next_end().await {
            if let Err(e) = ended.map_err(anyhow::Error::from).and_then(|result| result) {
                tracing::error!(error = %e, "a part of the server failed; ending");
                if outcome.is_ok() {
                    outcome = Err(e);
                }
                self.app.shutdown.cancel();
            }
        }
        outcome
    }

    async fn next_end(&mut self) -> Option<Result<anyhow::Result<()>, tokio::task::JoinError>> {
        let shutdown = self.app.shutdown.clone();
        let too_long = async {
            shutdown.cancelled().await;
            tokio::time::sleep(END_WITHIN * 2).await;
        };
        tokio::select! {
            ended = self.tasks.join_next() => ended,
            () = too_long => {
                tracing::warn!("some parts did not end in time and are cut off");
                self.tasks.abort_all();
                None
            }
        }
    }
}
