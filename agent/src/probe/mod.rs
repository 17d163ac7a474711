//! The prober: it is given targets and yields samples. It judges nothing.
//!
//! ICMP targets share one reactor thread ([`icmp`]); TCP, HTTP(S) and DNS targets share a bounded pool on the
//! async runtime. Samples come in batches through a bounded channel; those of one target come in the order of
//! sending. A probe that could not be sent is told as such, never as a loss.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use linewatch_shared::probe_url::{Host, ProbeSpec};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use self::icmp::{IcmpReactor, IcmpTarget};
use self::pool::{Pool, PoolMailbox, PoolTarget};
use self::sink::Outbox;
use crate::clock::NanoClock;

pub mod command;
pub mod icmp;
pub mod names;
mod pool;
pub mod schedule;
pub mod sink;
pub mod stats;
#[cfg(test)]
mod tests;
mod wheel;

pub use self::icmp::SocketKind;
pub use self::sink::Batch;
pub use self::stats::{Lateness, NotSentCounts};

/// Most targets of one prober; further ones are refused.
pub const MAX_TARGETS: usize = 65_536;
/// The timeout of a probe for which nobody names one.
pub const DEFAULT_TIMEOUT_MS: u32 = 1_000;
const MIN_TIMEOUT_MS: u32 = 10;
const MAX_TIMEOUT_MS: u32 = 60_000;

/// One target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetConfig {
    /// The caller's number for it; samples carry it. Unique in a set.
    pub target: u32,
    /// What to probe and how.
    pub spec: ProbeSpec,
    /// Time between two probes, 10 ms to a day.
    pub interval_ms: u32,
    /// How long to wait for an answer, 10 ms to 60 s. A timeout in the URL is the caller's to put here.
    pub timeout_ms: u32,
    /// Decides the target's phase in its interval: the same key, the same phase.
    pub phase_key: u64,
}

/// More targets than [`MAX_TARGETS`].
#[derive(Debug, thiserror::Error)]
#[error("{0} targets are more than the prober takes ({MAX_TARGETS})")]
pub struct TooManyTargets(pub usize);

/// What the prober says about itself.
#[derive(Clone, Debug, Default)]
pub struct ProberStats {
    /// What kind of socket IPv4 probes go through.
    pub socket_v4: SocketKind,
    /// What kind of socket IPv6 probes go through.
    pub socket_v6: SocketKind,
    /// ICMP targets in force.
    pub icmp_targets: usize,
    /// How late ICMP probes were sent in the last whole minute.
    pub lateness: Lateness,
    /// How late the pool's probes were begun in the last whole minute.
    pub pool_lateness: Lateness,
    /// Probes that left this machine since start.
    pub sent: u64,
    /// Probes answered in time.
    pub received: u64,
    /// Probes lost.
    pub lost: u64,
    /// Answers that came late.
    pub late: u64,
    /// Second answers, ignored.
    pub duplicates: u64,
    /// ICMP packets that answered no probe of ours, ignored.
    pub foreign: u64,
    /// System calls with which ICMP packets went and came.
    pub calls: u64,
    /// Probes not sent, by cause.
    pub not_sent: NotSentCounts,
}

/// Starts probers.
pub struct Prober;

impl Prober {
    /// Starts the reactor and the pool, without targets, on the async runtime of the caller. Batches go to
    /// `sink`; when it is full they wait, and beyond a bound probing waits with them (and tells of overruns).
    ///
    /// # Errors
    /// When the kernel grants no thread or eventfd, or the caller is not on an async runtime. Lack of permission for ICMP is no error, see
    /// [`ProberStats::socket_v4`].
    pub fn start(clock: Arc<dyn NanoClock>, sink: mpsc::Sender<Batch>) -> io::Result<ProberHandle> {
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let icmp = IcmpReactor::start(Arc::clone(&clock), Outbox::new(sink.clone()))?;
        let pool_mailbox = Arc::new(PoolMailbox::default());
        let pool = Pool::new(clock, Arc::clone(&pool_mailbox), sink);
        let pool_task = runtime.spawn(pool.run()).abort_handle();
        Ok(ProberHandle { icmp, pool_mailbox, pool_task, names_task: Mutex::default(), runtime })
    }
}

/// A running prober; dropping it ends it.
pub struct ProberHandle {
    icmp: IcmpReactor,
    pool_mailbox: Arc<PoolMailbox>,
    pool_task: AbortHandle,
    names_task: Mutex<Option<AbortHandle>>,
    runtime: Handle,
}

impl ProberHandle {
    /// Makes `targets` the whole set. Those that stay as they are go on undisturbed. Takes effect within a tick.
    ///
    /// # Errors
    /// When there are more than [`MAX_TARGETS`]; the old set stays in force.
    pub fn set_targets(&self, targets: Vec<TargetConfig>) -> Result<(), TooManyTargets> {
        if targets.len() > MAX_TARGETS {
            return Err(TooManyTargets(targets.len()));
        }
        let (mut icmp, mut pool, mut named) = (Vec::new(), Vec::new(), Vec::new());
        for TargetConfig { target: id, spec, interval_ms, timeout_ms, phase_key } in targets {
            let timeout_ms = timeout_ms.clamp(MIN_TIMEOUT_MS, MAX_TIMEOUT_MS);
            if let ProbeSpec::Icmp { host, options, .. } = spec {
                let ip = host.ip();
                if let Host::Name(_) = host {
                    named.push((id, host));
                }
                icmp.push(IcmpTarget { id, ip, options, interval_ms, timeout_ms, phase_key });
            } else {
                pool.push(PoolTarget { id, spec, interval_ms, timeout_ms, phase_key });
            }
        }
        self.icmp.mailbox().set_targets(icmp);
        self.pool_mailbox.set_targets(pool);
        let names_task = self.runtime.spawn(names::keep_resolved(named, self.icmp.mailbox()));
        let mut place = self.names_task.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = place.replace(names_task.abort_handle()) {
            old.abort();
        }
        Ok(())
    }

    /// Changes one target's pace, as while its state is in doubt. Never waits; an unknown target is ignored.
    pub fn set_interval(&self, target: u32, interval_ms: u32) {
        self.icmp.mailbox().set_interval(target, interval_ms);
        self.pool_mailbox.set_interval(target, interval_ms);
    }

    /// Counts and lateness, at most one wake-up of the reactor old.
    pub fn stats(&self) -> ProberStats {
        let mailbox = self.icmp.mailbox();
        let (icmp, icmp_targets) = mailbox.counts();
        let pool = self.pool_mailbox.counts();
        let [socket_v4, socket_v6] = mailbox.kinds();
        ProberStats {
            socket_v4,
            socket_v6,
            icmp_targets,
            lateness: icmp.lateness.latest(),
            pool_lateness: pool.lateness.latest(),
            sent: icmp.sent + pool.sent,
            received: icmp.received + pool.received,
            lost: icmp.lost + pool.lost,
            late: icmp.late,
            duplicates: icmp.duplicates,
            foreign: icmp.foreign,
            calls: icmp.calls,
            not_sent: icmp.not_sent.plus(pool.not_sent),
        }
    }

    /// Ends the prober and waits for its thread. What was under way is not told.
    pub fn shutdown(self) {
        drop(self);
    }
}

impl Drop for ProberHandle {
    fn drop(&mut self) {
        self.pool_task.abort();
        let mut names_task = self.names_task.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = names_task.take() {
            task.abort();
        }
    }
}
