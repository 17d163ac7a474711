//! From the first lost packet to the fault on the board: one line's answers are really dropped.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use linewatch_shared::time::UnixMs;

use super::{Desk, Place, faults_of, line_code};
use crate::harness::{eventually, now};

/// How long the board may take before the measurement counts as failed.
const ON_BOARD_WITHIN: Duration = Duration::from_secs(30);

/// How long one fault took.
#[derive(Clone, Copy, Debug)]
pub struct Latency {
    /// From the sending of the first lost packet, as the agent tells it, to the board.
    pub from_first_lost_ms: i64,
    /// From just before packets were dropped to the board: longer by up to an interval.
    pub from_cut_ms: i64,
}

/// Drops one target's packets; no longer when it is dropped itself.
struct Cut<'a> {
    place: &'a Place,
    rule: [String; 7],
}

impl<'a> Cut<'a> {
    fn new(place: &'a Place, target: Ipv4Addr) -> Result<Self> {
        let rule = ["INPUT", "-s", &target.to_string(), "-p", "icmp", "-j", "DROP"].map(str::to_owned);
        let cut = Self { place, rule };
        cut.iptables("-I")?;
        Ok(cut)
    }

    fn iptables(&self, verb: &str) -> Result<()> {
        let words: Vec<_> =
            ["iptables", "-w", verb].into_iter().chain(self.rule.iter().map(String::as_str)).collect();
        self.place.exec(&words)
    }
}

impl Drop for Cut<'_> {
    fn drop(&mut self) {
        // At the latest it goes with the namespace.
        let _ = self.iptables("-D");
    }
}

/// Cuts `times` lines one after the other, each at another moment of its interval, and watches the board for
/// the fault of each. The agent must run and every line be up. Needs a namespace.
///
/// # Errors
/// When a fault does not appear.
pub fn cut_lines(desk: &Desk, place: &Place, times: usize) -> Result<Vec<Latency>> {
    let step = desk.targets().len() / times.max(1);
    (0..times).map(|n| cut_one(desk, place, n * step)).collect()
}

fn cut_one(desk: &Desk, place: &Place, line: usize) -> Result<Latency> {
    let code = line_code(line);
    let target = *desk.targets().get(line).context("no such line")?;
    ensure!(faults_of(&desk.api.board()?, &code).is_none(), "{code} has a fault already");
    let cut_at = now();
    let cut = Cut::new(place, target)?;
    let what = format!("the fault of {code} is on the board");
    let (fault, seen_at) = eventually(ON_BOARD_WITHIN, &what, || {
        Ok(faults_of(&desk.api.board()?, &code).map(|fault| (fault, now())))
    })?;
    drop(cut);
    let started_at = UnixMs::parse_rfc3339(fault["started_at"].as_str().context("started_at")?)
        .ok()
        .context("started_at is no time")?;
    ensure!(started_at >= cut_at, "{code} has a fault from before the cut");
    Ok(Latency { from_first_lost_ms: seen_at.since(started_at), from_cut_ms: seen_at.since(cut_at) })
}
