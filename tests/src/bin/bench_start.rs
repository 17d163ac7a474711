//! A server with a large database starts: from its start to the first batch that it has acknowledged. And how large the
//! programs are.
//!
//! `bench_start [--gigabytes N] [--rounds N]`

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use linewatch_shared::detector::LineState;
use linewatch_tests::bench::{Row, say, spread};
use linewatch_tests::harness::{
    Agent, BOUND, Folder, Server, ServerOptions, interrupt_on_signals, mono_ms, program, sample,
};
use linewatch_tests::procfs::rss_kib;
use rusqlite::{Connection, params};

const USAGE: &str = "usage: bench_start [--gigabytes N] [--rounds N]
  --gigabytes N  how large the database is; 5 unless given
  --rounds N     how often the server is started; 5 unless given";
/// Minutes of 1,000 lines are about so long.
const BLOCK_BYTES: i64 = 7_200;
const BLOCKS_AT_ONCE: i64 = 20_000;
/// Goals: seconds, megabytes.
const START_GOAL_S: f64 = 1.0;
const SIZE_GOALS_MB: [(&str, f64); 2] = [("linewatch-agent", 20.0), ("linewatch-server", 35.0)];

fn main() -> Result<()> {
    interrupt_on_signals()?;
    let (mut gigabytes, mut rounds) = (5.0, 5);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let value = args.next().context(USAGE)?;
        match arg.as_str() {
            "--gigabytes" => gigabytes = value.parse().context(USAGE)?,
            "--rounds" => rounds = value.parse().context(USAGE)?,
            _ => bail!(USAGE),
        }
    }
    for (name, goal) in SIZE_GOALS_MB {
        let bytes = std::fs::metadata(program(name)?)?.len();
        Row::at_most(format!("{name}, the program's file"), bytes as f64 / 1e6, goal, "MB").tell()?;
    }
    start(gigabytes, rounds)
}

fn start(gigabytes: f64, rounds: usize) -> Result<()> {
    let folder = Folder::new()?;
    let mut server = Server::new(&folder.sub("server")?, &ServerOptions::default())?;
    sample::import(&server, "group-line", "AA", 1, "bench-agent")?;
    server.start()?;
    let agent = Agent::new(&folder.sub("agent")?, None, &[])?;
    agent.enroll(&server, "bench-agent")?;
    let journal = sample::journal(&agent)?;
    sample::sync(&agent, &journal)?;
    server.stop()?;
    let bytes = fill(&server, gigabytes)?;
    let mut times = Vec::new();
    for round in 0..rounds {
        let state = if round % 2 == 0 { LineState::Down } else { LineState::Up };
        journal.append_blocking(&[sample::change(journal.scribe(), &sample::line(0), state)])?;
        let began_ms = mono_ms();
        server.launch()?;
        // As an agent that tries without a pause.
        while sample::sync(&agent, &journal).is_err() {
            ensure!(mono_ms() - began_ms < BOUND.as_millis() as i64, "nothing was acknowledged");
            std::thread::sleep(Duration::from_millis(1));
        }
        times.push((mono_ms() - began_ms) as f64 / 1_000.0);
        let pid = server.pid().context("the server has ended")?;
        say(format!("    {:.0} ms, {} MiB", times[round] * 1_000.0, rss_kib(pid)? / 1_024))?;
        // The next start has to read the log too.
        server.kill()?;
    }
    let path = format!("start with {:.1} GB to the first batch acknowledged", bytes as f64 / 1e9);
    Row::at_most(path, spread(&times)[0], START_GOAL_S, "s").tell()
}

/// Years of minutes, so that the database is large; how large it is then.
fn fill(server: &Server, gigabytes: f64) -> Result<u64> {
    let began_ms = mono_ms();
    let db = Connection::open(server.database())?;
    db.execute_batch("PRAGMA synchronous = off")?;
    let blocks = (gigabytes * 1e9 / BLOCK_BYTES as f64) as i64;
    for first in (0..blocks).step_by(BLOCKS_AT_ONCE as usize) {
        let last = (first + BLOCKS_AT_ONCE).min(blocks);
        db.execute(
            "WITH RECURSIVE n (i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?2)
             INSERT INTO record (id, agent, hash, kind, occurred_at_ms, recorded_at_ms, bytes)
             SELECT CAST(printf('%016d', n.i) AS BLOB), (SELECT id FROM agent LIMIT 1), randomblob(32), 'minute',
                 n.i * 60000, n.i * 60000, randomblob(?3) FROM n",
            params![first, last, BLOCK_BYTES],
        )?;
    }
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    drop(db);
    let bytes = std::fs::metadata(server.database())?.len();
    say(format!("  {:.1} GB made in {:.0} s", bytes as f64 / 1e9, (mono_ms() - began_ms) as f64 / 1_000.0))?;
    Ok(bytes)
}
