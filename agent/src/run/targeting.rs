//! Keeps what is probed, and how often, as reference data, the network and the battery say.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Weak;
use std::time::Duration;

use linewatch_shared::time::UnixMs;
use tokio::sync::watch;

use super::targets::{self, Choice};
use crate::enroll::Identity;
use crate::field::vantage;
use crate::journal::Journal;
use crate::monitor::MonitorHandle;
use crate::probe::ProberHandle;
use crate::scope;

/// How often it is looked whether a line's time is over.
const LOOK: Duration = Duration::from_secs(30);

/// What decides it.
pub(super) struct Wanted {
    /// Hosts outside.
    pub outside: Vec<String>,
    /// By how much longer the times between probes are on battery.
    pub slower_on_battery: u32,
    /// Changes with each pull.
    pub pulled: watch::Receiver<u64>,
    /// The default gateway.
    pub gateway: watch::Receiver<Option<IpAddr>>,
    /// Whether the machine runs on its battery.
    pub on_battery: watch::Receiver<bool>,
    /// Changes when somebody chooses a line to be probed from here.
    pub chosen: watch::Receiver<u64>,
    /// Where the agent's name is kept.
    pub data_dir: PathBuf,
}

/// Follows all of that until the prober or the monitor has gone.
pub(super) async fn follow(
    journal: Journal,
    prober: Weak<ProberHandle>,
    monitor: MonitorHandle,
    mut wanted: Wanted,
) {
    let mut numbers = targets::Numbers::default();
    let mut refused = Vec::new();
    loop {
        let hop = *wanted.gateway.borrow_and_update();
        let slower = if *wanted.on_battery.borrow_and_update() { wanted.slower_on_battery } else { 1 };
        wanted.pulled.mark_unchanged();
        wanted.chosen.mark_unchanged();
        let now = journal.scribe().now();
        let read =
            move |db: &rusqlite::Connection| Ok((scope::contracts::lines(db)?, vantage::lines(db, now)?));
        let mut ends_at = None;
        match journal.read(read).await {
            Ok(((lines, contracts), vantage)) => {
                ends_at = vantage.values().min().copied();
                let own = Identity::load(&wanted.data_dir).ok().flatten().map(|known| known.name);
                let choice = Choice { own: own.unwrap_or_default(), vantage: vantage.into_keys().collect() };
                let plan =
                    targets::plan(&lines, &choice, &contracts, hop, &wanted.outside, slower, &mut numbers);
                if plan.refused != refused {
                    for reason in &plan.refused {
                        tracing::error!(%reason, "not probed");
                    }
                    refused.clone_from(&plan.refused);
                }
                let Some(prober) = prober.upgrade() else { return };
                let (lines, anchors) = (plan.set.lines.len(), plan.set.anchors.len());
                tracing::info!(lines, anchors, slower, "probing");
                if let Err(error) = prober.set_targets(plan.targets) {
                    tracing::error!(%error, "the old targets stay");
                } else {
                    drop(prober);
                    match monitor.set_lines(plan.set).await {
                        Ok(Ok(())) => {}
                        Ok(Err(error)) => tracing::error!(%error, "a line is not watched"),
                        Err(_) => return,
                    }
                }
            }
            Err(error) => tracing::error!(%error, "reference data cannot be read"),
        }
        // A watch whose sender is gone (no netlink) never changes again.
        tokio::select! {
            Ok(()) = wanted.pulled.changed() => {}
            Ok(()) = wanted.gateway.changed() => {}
            Ok(()) = wanted.on_battery.changed() => {}
            Ok(()) = wanted.chosen.changed() => {}
            () = ended(&journal, ends_at) => {}
            else => return,
        }
    }
}

/// Returns once a line's time is over, by the device's wall clock, wherever that is set meanwhile.
async fn ended(journal: &Journal, ends_at: Option<UnixMs>) {
    let Some(ends_at) = ends_at else { return std::future::pending().await };
    while journal.scribe().now() < ends_at {
        tokio::time::sleep(LOOK).await;
    }
}
