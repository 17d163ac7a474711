//! kill -9 while things are taken in and while they are sent on: what was acknowledged is there in the end, once. With
//! `BENCH_PEERS=1` a Zabbix proxy and its server are killed in the same way.
//!
//! `bench_kills [--kills N]`, `STORY_SEED` plays the same chance again.

use anyhow::{Context, Result, bail};
use linewatch_tests::backlog::Database;
use linewatch_tests::bench::{Row, count, say, with_peers};
use linewatch_tests::bench_kills::{Killed, Toll, peer, returning, taking_in};
use linewatch_tests::harness::{Seed, interrupt_on_signals};

const USAGE: &str = "usage: bench_kills [--kills N]
  --kills N  how often each is killed; 5 unless given";
/// A peer's kill takes ten seconds and more, with the new start.
const PEER_KILLS_MAX: u64 = 2;

fn main() -> Result<()> {
    let kills = parse(std::env::args().skip(1))?;
    interrupt_on_signals()?;
    let mut chance = Seed::from_env();
    say(format!("seed {}", chance.value()))?;
    let theirs = if with_peers() { Some(peer(kills.min(PEER_KILLS_MAX), &mut chance)?) } else { None };
    let ours = taking_in(kills, &mut chance)?;
    tell("reports lost or doubled, agent killed while taking in", ours, theirs.map(|all| all.taking_in))?;
    for (killed, who) in [(Killed::Agent, "agent"), (Killed::Server, "server")] {
        let ours = [Database::Sqlite, Database::Postgres]
            .into_iter()
            .try_fold(Toll::default(), |toll, database| {
                Ok::<_, anyhow::Error>(toll.and(returning(killed, database, kills)?))
            })?;
        let theirs = theirs.map(|all| if killed == Killed::Agent { all.proxy } else { all.server });
        tell(
            &format!("minutes of 1,000 lines lost or doubled, {who} killed while a backlog is sent"),
            ours,
            theirs,
        )?;
    }
    Ok(())
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<u64> {
    let mut kills = 5;
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--kills" => {
                kills = args.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0).context(USAGE)?;
            }
            _ => bail!(USAGE),
        }
    }
    Ok(kills)
}

fn tell(path: &str, ours: Toll, theirs: Option<Toll>) -> Result<()> {
    let of = format!("{} acknowledged, {} kills", count(ours.acknowledged), ours.kills);
    let row = Row::none(path, ours.wrong(), of);
    let row = match theirs {
        Some(theirs) => row.beside(format!("Zabbix, values: {theirs}")),
        None => row,
    };
    row.tell()?;
    say(format!("    {ours}"))
}
