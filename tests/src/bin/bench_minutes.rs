//! A laptop that was away for long comes back: what its minutes take on its disk and on the wire, and how long they take
//! to the server's disk. Real processes, TLS, both databases.
//!
//! `bench_minutes [--minutes N] [--lines N] [--rounds N]`

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use linewatch_agent::journal::FILE_NAME;
use linewatch_shared::facts::{Body, Reading, When};
use linewatch_shared::minute::{LineMinute, MinuteBlock, RttSummary};
use linewatch_shared::time::{MINUTE_MS, MonoMs, UnixMs};
use linewatch_tests::bench::{Row, say, spread};
use linewatch_tests::bench_agent::Place;
use linewatch_tests::harness::{
    Agent, Cluster, Folder, Seed, Server, ServerOptions, Store, interrupt_on_signals, mono_ms, now, sample,
};

const USAGE: &str = "usage: bench_minutes [--minutes N] [--lines N] [--rounds N]
  --minutes N  how long it was away; 1000 unless given
  --lines N    how many lines it watches; 1000 unless given
  --rounds N   how often it comes back to each database; 3 unless given";
/// Probes of one line in a minute.
const PROBES: u32 = 60;
/// Blocks that are saved at once while the past is made.
const SAVED_AT_ONCE: usize = 100;
/// How long it may take to come back.
const BACK_WITHIN: Duration = Duration::from_mins(5);
/// Goals: bytes of a line's minute on the agent's disk and on the wire, seconds for a million of them.
const DISK_GOAL: f64 = 10.0;
const WIRE_GOAL: f64 = 8.0;
const MILLION_GOAL_S: f64 = 3.0;

#[derive(Clone, Copy)]
struct Options {
    minutes: usize,
    lines: usize,
    rounds: usize,
}

/// What one return took.
struct Back {
    disk_bytes: u64,
    wire_bytes: Option<u64>,
    seconds: f64,
}

fn main() -> Result<()> {
    let options = parse(std::env::args().skip(1))?;
    interrupt_on_signals()?;
    let Options { minutes, lines, rounds } = options;
    let of_all = |bytes: u64| bytes as f64 / (minutes * lines) as f64;
    say(format!(
        "{minutes} minutes of {lines} lines, six values each, by blocks of a minute; {rounds} rounds"
    ))?;
    for name in ["SQLite", "PostgreSQL"] {
        let rounds = (0..rounds).map(|_| come_back(options, name)).collect::<Result<Vec<_>>>()?;
        let times: Vec<f64> = rounds.iter().map(|round| round.seconds).collect();
        let [median_s, least_s, most_s] = spread(&times);
        let of_a_million = median_s * 1e6 / (minutes * lines) as f64;
        Row::at_most(format!("a million line-minutes, agent to {name}"), of_a_million, MILLION_GOAL_S, "s")
            .tell()?;
        say(format!("    {least_s:.2} to {most_s:.2} s for these, with the start of the agent's program"))?;
        let Some(first) = rounds.first().filter(|_| name == "SQLite") else { continue };
        Row::at_most("a line's minute on the agent's disk", of_all(first.disk_bytes), DISK_GOAL, "bytes")
            .tell()?;
        match first.wire_bytes {
            Some(bytes) => Row::at_most("the same on the wire", of_all(bytes), WIRE_GOAL, "bytes").tell()?,
            None => say("  on the wire: not measured, a link of its own needs root")?,
        }
    }
    Ok(())
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<Options> {
    let mut options = Options { minutes: 1_000, lines: 1_000, rounds: 3 };
    while let Some(arg) = args.next() {
        let number = args.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0).context(USAGE)?;
        match arg.as_str() {
            "--minutes" => options.minutes = number,
            "--lines" => options.lines = number,
            "--rounds" => options.rounds = number,
            _ => bail!(USAGE),
        }
    }
    Ok(options)
}

/// Fills an agent's journal while no server is there, then lets it send everything.
fn come_back(options: Options, database: &str) -> Result<Back> {
    let folder = Folder::new()?;
    let place = Place::new()?;
    let cluster = if database == "SQLite" { None } else { Some(Cluster::start()?) };
    let db_url = cluster.as_ref().map(Cluster::url);
    let options_of_server = ServerOptions { sync_ip: place.server_ip(), db_url, ..ServerOptions::default() };
    let mut server = Server::new(&folder.sub("server")?, &options_of_server)?;
    server.import("customers.csv", "code,name,tier,manager\nBENCH,Sample customer,AA,manager-1\n")?;
    server.start()?;
    let agent = Agent::new(&folder.sub("agent")?, place.namespace(), &[])?;
    agent.enroll(&server, "bench-agent")?;
    let empty_bytes = journal_bytes(&agent)?;
    fill(&agent, options)?;
    let disk_bytes = journal_bytes(&agent)? - empty_bytes;

    let before = place.received_bytes()?;
    let began_ms = mono_ms();
    let mut sync = agent.start_command(&["sync", "--quiet"])?;
    let status = sync.wait(BACK_WITHIN)?;
    let seconds = (mono_ms() - began_ms) as f64 / 1_000.0;
    ensure!(status.success(), "the sync ended with {status}; see {}", agent.log().display());
    let wire_bytes = place.received_bytes()?.zip(before).map(|(after, before)| after - before);

    server.kill()?;
    let store = match &cluster {
        Some(cluster) => Store::Postgres(cluster.url()),
        None => Store::Sqlite(server.database()),
    };
    let there = store.number("SELECT COUNT(*) FROM record WHERE kind = 'minute'")?;
    ensure!(there == options.minutes as i64, "{there} of {} minutes are there", options.minutes);
    Ok(Back { disk_bytes, wire_bytes, seconds })
}

/// What the journal takes, once its log is folded into it.
fn journal_bytes(agent: &Agent) -> Result<u64> {
    drop(sample::journal(agent)?);
    Ok(std::fs::metadata(agent.data_dir().join(FILE_NAME))?.len())
}

fn fill(agent: &Agent, Options { minutes, lines, .. }: Options) -> Result<()> {
    let journal = sample::journal(agent)?;
    let mut noise = Noise(Seed::of(1));
    let lines: Vec<_> = (0..lines).map(|n| Watched::draw(n, &mut noise)).collect();
    let first = UnixMs(now().0 / MINUTE_MS * MINUTE_MS) - minutes as i64 * MINUTE_MS;
    let blocks: Vec<_> = (0..minutes as i64).collect();
    for blocks in blocks.chunks(SAVED_AT_ONCE) {
        let records = blocks.iter().map(|minute| {
            let at = first + minute * MINUTE_MS;
            let lines = lines.iter().map(|line| line.minute(&mut noise)).collect();
            let block = MinuteBlock::new(at, lines)?;
            let now = journal.scribe().reading();
            let when = When::Machine(Reading { wall: at, mono: MonoMs(now.mono.0 - now.wall.since(at)) });
            Ok(journal.scribe().record(when, None, Body::Minute(block.encode())))
        });
        journal.append_blocking(&records.collect::<Result<Vec<_>>>()?)?;
    }
    Ok(())
}

/// Chance for figures.
struct Noise(Seed);

impl Noise {
    fn unit(&mut self) -> f64 {
        self.0.below(1 << 53) as f64 / (1_u64 << 53) as f64
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }
}

/// A line: round trips of 2 to 40 ms, queueing of 50 to 800 µs on average on top, at a resolution of 1 µs; every tenth
/// line loses one packet in a hundred.
struct Watched {
    code: String,
    base_us: f64,
    queue_us: f64,
    loses: bool,
}

impl Watched {
    fn draw(n: usize, noise: &mut Noise) -> Self {
        let (base_us, queue_us) = (2_000.0 + 38_000.0 * noise.unit(), 50.0 + 750.0 * noise.unit());
        Self { code: format!("SZ-{:07}", 31_000 + n * 7), base_us, queue_us, loses: n.is_multiple_of(10) }
    }

    fn minute(&self, noise: &mut Noise) -> LineMinute {
        let (mut lost, mut run, mut longest_run) = (0, 0, 0);
        let mut rtts: Vec<u32> = Vec::with_capacity(PROBES as usize);
        for _ in 0..PROBES {
            if self.loses && noise.unit() < 0.01 {
                (lost, run) = (lost + 1, run + 1);
                longest_run = run.max(longest_run);
            } else {
                run = 0;
                rtts.push((self.base_us + noise.exponential(self.queue_us)) as u32);
            }
        }
        let answered = rtts.len() as u32;
        let steps: u32 = rtts.windows(2).map(|pair| pair[0].abs_diff(pair[1])).sum();
        let rtt = rtts.iter().min().zip(rtts.iter().max()).map(|(min_us, max_us)| RttSummary {
            min_us: *min_us,
            avg_us: rtts.iter().sum::<u32>() / answered,
            max_us: *max_us,
            jitter_us: steps / (answered - 1).max(1),
        });
        LineMinute { line: self.code.clone(), sent: PROBES, lost, late: 0, not_sent: 0, longest_run, rtt }
    }
}
