//! The same with a Zabbix proxy and its server.

use std::sync::Arc;

use anyhow::{Context, Result};
use linewatch_shared::time::{MINUTE_MS, UnixMs};

use super::Toll;
use crate::backlog::Lines;
use crate::bench_agent::Place;
use crate::harness::{BOUND, Folder, Seed, eventually, now};
use crate::zabbix::{ITEMS, Values, Zabbix};

/// Lines, and minutes that are handed in before each kill.
const LINES: usize = 1_000;
const MINUTES: usize = 50;

/// What kills did to it.
#[derive(Clone, Copy, Debug, Default)]
pub struct PeerKilled {
    /// The proxy, while values were handed in.
    pub taking_in: Toll,
    /// The proxy, while it sent on.
    pub proxy: Toll,
    /// The server, while it got them.
    pub server: Toll,
}

/// Kills each so many times.
///
/// # Errors
/// When anything is not installed or does not start.
pub fn peer(kills: u64, chance: &mut Seed) -> Result<PeerKilled> {
    let (folder, place) = (Folder::new()?, Place::new()?);
    let mut zabbix = Zabbix::start(&folder, &place, LINES)?;
    let mut lines = Lines::draw(LINES);
    let mut first = UnixMs(now().0 / MINUTE_MS * MINUTE_MS);
    let mut more = || {
        first = first - MINUTES as i64 * MINUTE_MS;
        Arc::new(Values::new(&mut lines, first, MINUTES))
    };
    let mut told = PeerKilled::default();
    for _ in 0..kills {
        told.taking_in = told.taking_in.and(taking_in(&mut zabbix, &more(), chance)?);
    }
    for _ in 0..kills {
        told.proxy = told.proxy.and(draining(&mut zabbix, &more(), |zabbix| {
            zabbix.kill_proxy()?;
            zabbix.start_proxy(LINES)
        })?);
    }
    for _ in 0..kills {
        told.server = told.server.and(draining(&mut zabbix, &more(), |zabbix| {
            zabbix.kill_server()?;
            zabbix.start_server()
        })?);
    }
    Ok(told)
}

/// Out of its server's reach, killed somewhere between a quarter and three quarters of what it is handed.
fn taking_in(zabbix: &mut Zabbix, values: &Arc<Values>, chance: &mut Seed) -> Result<Toll> {
    zabbix.set_away(true);
    let all = (LINES * MINUTES * ITEMS.len()) as u64;
    let enough = all / 4 + chance.below(all / 2);
    let sending = zabbix.send(values);
    eventually(BOUND, "values are taken in", || Ok((sending.acknowledged() >= enough).then_some(())))?;
    zabbix.kill_proxy()?;
    let (acknowledged, trouble) = sending.finish()?;
    trouble.context("it had taken everything before it was killed")?;
    zabbix.start_proxy(LINES)?;
    let kept = zabbix.in_proxy(values)?;
    zabbix.set_away(false);
    let there = zabbix.in_the_end(values, kept)?;
    // What was stored but not acknowledged any more, a few requests at most, counts in its favour.
    Ok(Toll { kills: 1, acknowledged, lost: acknowledged.saturating_sub(there), doubled: 0 })
}

/// Killed once the server has got the first values. What comes twice is set aside by the key of its table.
fn draining(
    zabbix: &mut Zabbix,
    values: &Arc<Values>,
    kill: impl FnOnce(&mut Zabbix) -> Result<()>,
) -> Result<Toll> {
    zabbix.set_away(true);
    zabbix.take_in(values)?;
    zabbix.set_away(false);
    zabbix.wait_for_first(values)?;
    kill(zabbix)?;
    let there = zabbix.in_the_end(values, values.count())?;
    Ok(Toll { kills: 1, acknowledged: values.count(), lost: values.count() - there, doubled: 0 })
}
