//! A laptop that was away for long comes back: what its minutes take on its disk and on the wire, and how long they take
//! to the server's disk. Real processes, TLS, both databases; with `BENCH_PEERS=1` beside a Zabbix proxy whose server was
//! out of its reach as long.
//!
//! `bench_minutes [--minutes N] [--lines N] [--rounds N] [--values N]`

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use linewatch_shared::time::{MINUTE_MS, UnixMs};
use linewatch_tests::backlog::{Away, Database, Lines, Returned};
use linewatch_tests::bench::{Row, figures, say, spread, with_peers};
use linewatch_tests::bench_agent::Place;
use linewatch_tests::harness::{Folder, interrupt_on_signals, now};
use linewatch_tests::zabbix::{Drained, ITEMS, Values, Zabbix};

const USAGE: &str = "usage: bench_minutes [--minutes N] [--lines N] [--rounds N] [--values N]
  --minutes N  how long it was away; 1000 unless given
  --lines N    how many lines it watches; 1000 unless given
  --rounds N   how often it comes back to each database; 3 unless given
  --values N   what the peer has to send in the first two of them; 1000000 unless given";
/// The peer is set up anew each time, which takes longer than what is measured: the better of two counts.
const PEER_ROUNDS: usize = 2;
/// Goals: bytes of a line's minute on the agent's disk and on the wire, seconds for a million of them.
const DISK_GOAL: f64 = 10.0;
const WIRE_GOAL: f64 = 8.0;
const MILLION_GOAL_S: f64 = 3.0;
const MILLION: f64 = 1e6;

#[derive(Clone, Copy)]
struct Options {
    minutes: usize,
    lines: usize,
    rounds: usize,
    values: usize,
}

/// What the peer took, for a million values or for one.
struct Peer {
    million_s: Vec<f64>,
    disk_bytes: f64,
    wire_bytes: Option<f64>,
}

fn main() -> Result<()> {
    let options = parse(std::env::args().skip(1))?;
    interrupt_on_signals()?;
    let Options { minutes, lines, rounds, values } = options;
    say(format!(
        "{minutes} minutes of {lines} lines, six values each, by blocks of a minute; {rounds} rounds"
    ))?;
    let databases = [Database::Sqlite, Database::Postgres];
    let mut ours: [Vec<Returned>; 2] = [Vec::new(), Vec::new()];
    let mut peer = Peer { million_s: Vec::new(), disk_bytes: 0.0, wire_bytes: None };
    for round in 0..rounds {
        for (database, all) in databases.iter().zip(&mut ours) {
            let (folder, place) = (Folder::new()?, Place::new()?);
            let mut away = Away::new(&folder, &place, *database, lines)?;
            away.fill(minutes)?;
            all.push(away.come_back()?);
        }
        if with_peers() && round < PEER_ROUNDS {
            drain_peer(lines, values, &mut peer)?;
        }
    }
    for (database, all) in databases.iter().zip(&ours) {
        tell_time(*database, all, minutes * lines, &peer)?;
    }
    let Some(first) = ours[0].first() else { return Ok(()) };
    tell_bytes(first, (minutes * lines) as f64, &peer)
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<Options> {
    let mut options = Options { minutes: 1_000, lines: 1_000, rounds: 3, values: 1_000_000 };
    while let Some(arg) = args.next() {
        let number = args.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0).context(USAGE)?;
        match arg.as_str() {
            "--minutes" => options.minutes = number,
            "--lines" => options.lines = number,
            "--rounds" => options.rounds = number,
            "--values" => options.values = number,
            _ => bail!(USAGE),
        }
    }
    Ok(options)
}

fn drain_peer(lines: usize, values: usize, peer: &mut Peer) -> Result<()> {
    let minutes = values.div_ceil(lines * ITEMS.len());
    let first = UnixMs((now().0 / MINUTE_MS - 1 - minutes as i64) * MINUTE_MS);
    let values = Arc::new(Values::new(&mut Lines::draw(lines), first, minutes));
    let count = values.count() as f64;
    let (folder, place) = (Folder::new()?, Place::new()?);
    let zabbix = Zabbix::start(&folder, &place, lines)?;
    zabbix.set_away(true);
    let empty_bytes = zabbix.file_bytes()?;
    let taken_s = zabbix.take_in(&values)?;
    peer.disk_bytes = (zabbix.file_bytes()? - empty_bytes) as f64 / count;
    let before = place.received_bytes()?;
    let Drained { first_s, all_s } = zabbix.drain(&values)?;
    let wire_bytes = place.received_bytes()?.zip(before).map(|(after, before)| after - before);
    peer.wire_bytes = wire_bytes.map(|bytes| bytes as f64 / count);
    peer.million_s.push(all_s * MILLION / count);
    say(format!(
        "  Zabbix proxy: {} values taken in at {} a second, the first at the server after {first_s:.2} s, all after \
         {all_s:.2} s",
        figures(count),
        figures(count / taken_s)
    ))
}

fn tell_time(database: Database, all: &[Returned], line_minutes: usize, peer: &Peer) -> Result<()> {
    let times: Vec<f64> = all.iter().map(|back| back.seconds * MILLION / line_minutes as f64).collect();
    let [median_s, least_s, most_s] = spread(&times);
    let path = format!("a million line-minutes, agent to {database}");
    let mut row = Row::at_most(path, median_s, MILLION_GOAL_S, "s");
    if !peer.million_s.is_empty() {
        let [_, best_s, worst_s] = spread(&peer.million_s);
        let ratio = figures(median_s / best_s);
        let [best_s, worst_s] = [best_s, worst_s].map(figures);
        row = row.beside(format!(
            "Zabbix proxy to PostgreSQL, a million values: {best_s} s (up to {worst_s}); ours {ratio} of it for six times \
             the values"
        ));
    }
    row.tell()?;
    say(format!("    {least_s:.2} to {most_s:.2} s, with the start of the agent's program"))
}

fn tell_bytes(first: &Returned, line_minutes: f64, peer: &Peer) -> Result<()> {
    let beside = |row: Row, ours: f64, theirs: Option<f64>| match theirs.filter(|bytes| *bytes > 0.0) {
        Some(bytes) => {
            let ratio = figures(ours / (bytes * ITEMS.len() as f64));
            let (one, six) = (figures(bytes), figures(bytes * ITEMS.len() as f64));
            row.beside(format!("Zabbix proxy {one} a value, {six} for six; ours {ratio} of it"))
        }
        None => row,
    };
    let disk = first.disk_bytes as f64 / line_minutes;
    let row = Row::at_most("a line's minute on the agent's disk", disk, DISK_GOAL, "bytes");
    beside(row, disk, Some(peer.disk_bytes)).tell()?;
    let Some(bytes) = first.wire_bytes else {
        return say("  on the wire: not measured, a link of its own needs root");
    };
    let wire = bytes as f64 / line_minutes;
    beside(Row::at_most("the same on the wire", wire, WIRE_GOAL, "bytes"), wire, peer.wire_bytes).tell()
}
