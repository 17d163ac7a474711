//! The running agent: prober → monitor → journal → sync, and what keeps them fed.
//!
//! Each part has a task of its own and a bounded queue to the next. Sync can fail in any way without
//! the others noticing; the prober has a thread of its own.

pub mod facts;
pub mod link;
pub mod lock;
mod renewing;
mod targeting;
pub mod targets;

use std::net::IpAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use anyhow::Context;
use linewatch_shared::detector::DetectorConfig;
use linewatch_shared::facts::{Body, Lane};
use linewatch_shared::health::{Health, HealthWarning};
use linewatch_shared::time::Clock;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::carrier::{CarrierEvent, CarrierWatch};
use crate::clock::{BootClock, NanoClock};
use crate::config::Config;
use crate::health::read_health;
use crate::journal::{self, Journal};
use crate::monitor::{Monitor, MonitorInputs, ProbeControl};
use crate::page::status::socket_text;
use crate::page::{self, Local, Parts};
use crate::probe::{Prober, ProberHandle};

/// Batches of samples between the prober and the monitor.
const BATCHES_MAX: usize = 256;
/// Carrier events that wait.
const CARRIER_MAX: usize = 64;
/// Time between health facts, and between looks for new warnings.
const HEALTH: Duration = Duration::from_mins(5);
const HEALTH_LOOK: Duration = Duration::from_secs(30);
/// Time between rounds of pruning.
const PRUNE: Duration = Duration::from_hours(1);
/// How long the last records may take to be saved at the end.
const FLUSH: Duration = Duration::from_secs(10);

/// Lets the monitor change paces without keeping the prober alive.
struct Pace(Weak<ProberHandle>);

impl ProbeControl for Pace {
    fn set_interval(&self, target: u32, interval_ms: u32) {
        if let Some(prober) = self.0.upgrade() {
            prober.set_interval(target, interval_ms);
        }
    }
}

/// Runs until `stop`, then saves what is under way.
///
/// # Errors
/// When the agent cannot start.
pub async fn run(config: Config, journal: Journal, stop: CancellationToken) -> anyhow::Result<()> {
    let clock = Arc::new(BootClock);
    let (batch_sink, batches) = mpsc::channel(BATCHES_MAX);
    let prober = Prober::start(Arc::clone(&clock) as Arc<dyn NanoClock>, batch_sink);
    let prober = Arc::new(prober.context("the prober cannot start")?);
    let (sink, records) = facts::channel(journal.scribe().clone());
    let (carrier_sink, carrier) = mpsc::channel(CARRIER_MAX);
    let gateway = watch_carrier(carrier_sink).await;
    let monitor = Monitor::new(DetectorConfig::default(), Pace(Arc::downgrade(&prober)), sink)?;
    let (handle, monitoring) =
        monitor.into_task(MonitorInputs { batches, carrier }, Arc::clone(&clock) as Arc<dyn Clock>);
    let monitoring = tokio::spawn(monitoring);
    let saving = tokio::spawn(facts::save(journal.clone(), records));

    let slot = link::SyncSlot::default();
    let (pulled_sink, pulled) = watch::channel(0);
    let health_sink = watch::Sender::new(Health::default());
    let (power_sink, on_battery) = watch::channel(false);
    let (choice_sink, chosen) = watch::channel(0);
    let wanted = targeting::Wanted {
        outside: config.probe.anchors.clone(),
        slower_on_battery: config.probe.slower_on_battery,
        pulled,
        gateway,
        on_battery,
        chosen,
        data_dir: config.data_dir.clone(),
    };
    let local = Local::new(Parts {
        config: config.clone(),
        journal: journal.clone(),
        data_dir: config.data_dir.canonicalize().unwrap_or_else(|_| config.data_dir.clone()),
        prober: Arc::downgrade(&prober),
        monitor: handle.clone(),
        sync: Arc::clone(&slot),
        health: health_sink.subscribe(),
        chosen: choice_sink,
    });
    let tasks = [
        tokio::spawn(page::serve(config.ui.listen, local)),
        tokio::spawn(targeting::follow(journal.clone(), Arc::downgrade(&prober), handle, wanted)),
        tokio::spawn(report_health(journal.clone(), config.clone(), health_sink, power_sink)),
        tokio::spawn(keep_small(journal.clone())),
        tokio::spawn(link::sync(journal.clone(), config.data_dir.clone(), slot, pulled_sink, stop.clone())),
    ];
    let stats = prober.stats();
    tracing::info!(
        icmp_v4 = socket_text(&stats.socket_v4),
        icmp_v6 = socket_text(&stats.socket_v6),
        "linewatch-agent runs"
    );
    // Without a service manager there is nobody to tell.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);

    stop.cancelled().await;
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    for task in tasks {
        task.abort();
    }
    // No more samples: the monitor hands on its open minutes and ends, then the saving ends.
    drop(prober);
    let flush = async {
        if let Ok(sink) = monitoring.await {
            let held = sink.into_held();
            if !held.is_empty() {
                journal.append(&held).await?;
            }
        }
        let _ = saving.await;
        anyhow::Ok(())
    };
    tokio::time::timeout(FLUSH, flush).await.context("the last records took too long to save")??;
    tracing::info!("linewatch-agent has stopped; everything is saved");
    Ok(())
}

/// Hands the kernel's carrier events on. Without netlink there are none, and no gateway.
async fn watch_carrier(sink: mpsc::Sender<CarrierEvent>) -> watch::Receiver<Option<IpAddr>> {
    match CarrierWatch::start().await {
        Ok(mut carrier) => {
            let gateway = carrier.gateway_changes();
            tokio::spawn(async move {
                while let Some(event) = carrier.next().await {
                    tracing::info!(?event, "carrier");
                    if sink.send(event).await.is_err() {
                        break;
                    }
                }
            });
            gateway
        }
        Err(error) => {
            tracing::warn!(%error, "interfaces cannot be watched; losses are confirmed without them");
            watch::channel(None).1
        }
    }
}

/// Journals how this machine fares: now and then, and when something new deserves a warning.
async fn report_health(
    journal: Journal,
    config: Config,
    latest: watch::Sender<Health>,
    on_battery: watch::Sender<bool>,
) {
    let mut told: Option<Vec<HealthWarning>> = None;
    let rounds = HEALTH.as_secs() / HEALTH_LOOK.as_secs();
    for round in 0_u64.. {
        let dir = config.data_dir.clone();
        let Ok(mut health) = tokio::task::spawn_blocking(move || read_health(&dir)).await else { return };
        let discharging = health.is_on_battery();
        on_battery.send_if_modified(|known| std::mem::replace(known, discharging) != discharging);
        let slower = config.probe.slower_on_battery;
        health.slowed_by = (discharging && slower > 1).then_some(slower);
        let warnings = health.warnings();
        let is_new = told.as_ref().is_none_or(|told| warnings.iter().any(|warning| !told.contains(warning)));
        if is_new {
            for warning in &warnings {
                tracing::warn!(?warning, "this machine");
            }
        }
        latest.send_replace(health.clone());
        if is_new || round % rounds == 0 {
            let record = journal.scribe().now_record(Body::Health(health));
            if let Err(error) = journal.append(&[record]).await {
                tracing::warn!(%error, "health is not saved");
            }
        }
        told = Some(warnings);
        tokio::time::sleep(HEALTH_LOOK).await;
    }
}

/// Prunes what the server has had for long.
async fn keep_small(journal: Journal) {
    loop {
        let before = journal.scribe().now() - journal::KEEP_MS;
        loop {
            let prune = move |tx: &rusqlite::Connection| {
                Ok(journal::prune(tx, before, &Lane::ALL)? + crate::field::parts::prune(tx, before)?)
            };
            match journal.write(prune).await {
                Ok(0) => break,
                Ok(records) => tracing::info!(records, "pruned"),
                Err(error) => {
                    tracing::warn!(%error, "not pruned");
                    break;
                }
            }
        }
        tokio::time::sleep(PRUNE).await;
    }
}
