//! Keeps what is probed, and how often, as reference data, the network and the battery say.

use std::net::IpAddr;
use std::sync::Weak;

use tokio::sync::watch;

use super::targets;
use crate::journal::Journal;
use crate::monitor::MonitorHandle;
use crate::probe::ProberHandle;
use crate::scope;

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
        match journal.read(scope::contracts::lines).await {
            Ok((lines, contracts)) => {
                let plan = targets::plan(&lines, &contracts, hop, &wanted.outside, slower, &mut numbers);
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
            else => return,
        }
    }
}
