//! Orders for the reactor. They do not queue: a later order takes the place of the earlier one about the same
//! thing, so there is never more here than one set of targets.

use std::collections::HashMap;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::sys::eventfd::EventFd;

use super::core::Core;
use super::moment::Now;
use super::socket::SocketKind;
use super::target::IcmpTarget;
use crate::probe::MAX_TARGETS;
use crate::probe::stats::Counts;

/// See the module's text.
pub struct Mailbox {
    orders: Mutex<Orders>,
    counts: Mutex<(Counts, usize)>,
    stop: AtomicBool,
    wake: EventFd,
    kinds: [SocketKind; 2],
}

#[derive(Default)]
struct Orders {
    targets: Option<Vec<IcmpTarget>>,
    intervals: HashMap<u32, u32>,
    addresses: HashMap<u32, IpAddr>,
}

impl Mailbox {
    pub fn new(wake: EventFd, kinds: [SocketKind; 2]) -> Self {
        Self { orders: Mutex::default(), counts: Mutex::default(), stop: AtomicBool::new(false), wake, kinds }
    }

    /// Orders a new set of targets; earlier orders about single targets are void.
    pub fn set_targets(&self, targets: Vec<IcmpTarget>) {
        let mut orders = lock(&self.orders);
        *orders = Orders { targets: Some(targets), ..Orders::default() };
        drop(orders);
        self.ring();
    }

    pub fn set_interval(&self, id: u32, interval_ms: u32) {
        self.order(|orders| put(&mut orders.intervals, id, interval_ms));
    }

    pub fn set_address(&self, id: u32, ip: IpAddr) {
        self.order(|orders| put(&mut orders.addresses, id, ip));
    }

    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.ring();
    }

    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    pub fn counts(&self) -> (Counts, usize) {
        *lock(&self.counts)
    }

    /// What kind of socket IPv4 and IPv6 have.
    pub fn kinds(&self) -> [SocketKind; 2] {
        self.kinds.clone()
    }

    pub(super) fn publish(&self, counts: Counts, targets: usize) {
        *lock(&self.counts) = (counts, targets);
    }

    pub(super) fn wake_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// Carries out what was ordered.
    pub(super) fn deliver(&self, core: &mut Core, now: Now) {
        // Read before the orders are taken and written after they are left, so that no ring is missed.
        if self.wake.read().is_err() {
            return;
        }
        let Orders { targets, intervals, addresses } = std::mem::take(&mut *lock(&self.orders));
        if let Some(targets) = targets {
            core.set_targets(targets, now);
        }
        for (id, interval_ms) in intervals {
            core.set_interval(id, interval_ms, now);
        }
        for (id, ip) in addresses {
            core.set_address(id, ip);
        }
    }

    fn order(&self, change: impl FnOnce(&mut Orders)) {
        change(&mut lock(&self.orders));
        self.ring();
    }

    fn ring(&self) {
        // It fails only when its count is full, and then it rings anyway.
        let _ = self.wake.write(1);
    }
}

/// Keeps orders about single targets bounded even when they name targets that do not exist.
fn put<V>(map: &mut HashMap<u32, V>, id: u32, value: V) {
    if map.len() < MAX_TARGETS || map.contains_key(&id) {
        map.insert(id, value);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
