//! How soon open boards hear of a change when 1,000 of them hang on one node, how often each is sent something, and what
//! that costs the server. From the moment at which the server wrote a change down to its arrival at each viewer.
//!
//! `LINEWATCH_BENCH_VIEWERS`, `LINEWATCH_BENCH_FAULTS`, `LINEWATCH_BENCH_SECONDS` make it larger or smaller.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use linewatch_shared::time::{MINUTE_MS, UnixMs};
use linewatch_tests::bench::{Row, say};
use linewatch_tests::harness::{Folder, Server, ServerOptions, block_on, interrupt_on_signals, mono_ms, now};
use linewatch_tests::load::{Calls, WITHOUT_LIMITS, change, quantile, report};
use linewatch_tests::procfs::{cpu_time, peak_rss_kib, rss_kib};
use rusqlite::Connection;
use tokio_util::sync::CancellationToken;

/// Changes a second: a bad day, and far more than any desk has.
const RATES: [u64; 2] = [20, 200];
/// The promises.
const HEARD_WITHIN_MS: f64 = 1_000.0;
const FRAMES_PER_SECOND_MAX: f64 = 2.0;
/// What arrives with less between is one frame.
const APART_MS: i64 = 100;
const BOUND: Duration = Duration::from_mins(1);

fn main() -> Result<()> {
    interrupt_on_signals()?;
    let (viewers, faults) = (size("VIEWERS", 1_000), size("FAULTS", 5_000));
    let span = Duration::from_secs(size("SECONDS", 20) as u64);
    let folder = Folder::new()?;
    let mut server = Server::new(
        folder.path(),
        &ServerOptions { more: WITHOUT_LIMITS.to_owned(), ..ServerOptions::default() },
    )?;
    let calls = Calls::new(&server, "bench", "noc")?;
    import(&server, faults)?;
    server.start()?;
    let pid = server.pid().context("the server has ended")?;
    let at = |n: usize| now() + -((n as i64 * 7_919) % 180) * MINUTE_MS;
    let ids = block_on(report(&calls, (0..faults).map(|n| (code(n), at(n))).collect()))?;
    say(format!("{faults} open faults, {viewers} viewers; the server uses {} MiB", rss_kib(pid)? / 1_024))?;
    for rate in RATES {
        let run = Run { calls: &calls, ids: &ids, viewers, rate, span, pid };
        block_on(run.measure(&server))?;
    }
    block_on(all_at_once(&calls, viewers, pid))?;
    say(format!("the server's memory at its peak: {} MiB", peak_rss_kib(pid)? / 1_024))?;
    server.stop()
}

fn size(name: &str, usual: usize) -> usize {
    std::env::var(format!("LINEWATCH_BENCH_{name}")).ok().and_then(|n| n.parse().ok()).unwrap_or(usual)
}

fn code(n: usize) -> String {
    format!("GX-{n:05}")
}

fn import(server: &Server, lines: usize) -> Result<()> {
    let mut customers = vec!["code,name,tier,pack,manager,contact_name,contact_phone".to_owned()];
    let mut rows = vec!["code,customer,site,service".to_owned()];
    for n in 0..lines {
        if n % 50 == 0 {
            customers.push(format!("C-{n},sample {n},AA,group-line,manager-{n},desk,000"));
        }
        rows.push(format!("{},C-{},hall {n},internet", code(n), n / 50 * 50));
    }
    server.import("customers.csv", &customers.join("\n"))?;
    server.import("lines.csv", &rows.join("\n"))?;
    Ok(())
}

/// One event as it arrived: its number, and when.
type Heard = (i64, UnixMs);

struct Run<'a> {
    calls: &'a Calls,
    ids: &'a [String],
    viewers: usize,
    rate: u64,
    span: Duration,
    pid: u32,
}

impl Run<'_> {
    async fn measure(&self, server: &Server) -> Result<()> {
        let (end, open) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
        let heard: Arc<Mutex<Vec<Vec<Heard>>>> = Arc::default();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..self.viewers {
            let (calls, end, open) = (self.calls.clone(), end.clone(), Arc::clone(&open));
            let heard = Arc::clone(&heard);
            tasks.spawn(async move {
                let mut own = Vec::new();
                let listening = listen(&calls, &open, &mut own);
                let result = end.run_until_cancelled(listening).await.unwrap_or(Ok(()));
                heard.lock().unwrap_or_else(PoisonError::into_inner).push(own);
                result
            });
        }
        let began_ms = mono_ms();
        while open.load(Ordering::SeqCst) < self.viewers {
            ensure!(mono_ms() - began_ms < BOUND.as_millis() as i64, "not all viewers were let in");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let (cpu, began_ms) = (cpu_time(self.pid)?, mono_ms());
        let sums = change(self.calls, self.ids, self.rate, self.span).await;
        let took_s = (mono_ms() - began_ms) as f64 / 1_000.0;
        let busy = cpu_time(self.pid)?.saturating_sub(cpu).as_secs_f64() / took_s;
        // What was written last is on its way.
        tokio::time::sleep(Duration::from_secs(2)).await;
        end.cancel();
        while let Some(ended) = tasks.join_next().await {
            ended?.context("a viewer was cut off")?;
        }
        let heard = std::mem::take(&mut *heard.lock().unwrap_or_else(PoisonError::into_inner));
        say(format!(
            "{} changes a second asked for, {:.0} done, {} left out, {} failed:",
            self.rate,
            sums.done.load(Ordering::SeqCst) as f64 / took_s,
            sums.left.load(Ordering::SeqCst),
            sums.failed.load(Ordering::SeqCst)
        ))?;
        self.tell(&heard, &written(server)?)?;
        say(format!("  server: {:.0} % of a core, {} MiB", busy * 100.0, rss_kib(self.pid)? / 1_024))?;
        Ok(())
    }

    fn tell(&self, heard: &[Vec<Heard>], written: &HashMap<i64, UnixMs>) -> Result<()> {
        let mut late_ms = Vec::new();
        let (mut rates, mut fewest) = (Vec::new(), usize::MAX);
        for own in heard {
            let known = own.iter().filter_map(|(n, at)| Some(at.since(*written.get(n)?)));
            late_ms.extend(known);
            rates.push(frames_per_second(own));
            fewest = fewest.min(own.len());
        }
        let most = heard.iter().map(Vec::len).max().unwrap_or_default();
        ensure!(fewest == most && most > 0, "one viewer heard of {fewest} changes, another of {most}");
        let [median, p99, max] = [0.5, 0.99, 1.0].map(|share| quantile(&mut late_ms, share));
        let (viewers, rate) = (self.viewers, self.rate);
        say(format!("  {most} changes: median {median} ms, 99 % within {p99} ms, most {max} ms"))?;
        let path = format!("from a change to {viewers} boards, {rate} changes a second, p99");
        Row::at_most(path, p99 as f64, HEARD_WITHIN_MS, "ms").tell()?;
        rates.sort_by(f64::total_cmp);
        let (median, most) = (rates[rates.len() / 2], rates[rates.len() - 1]);
        // One frame may have come a little late, and the next in time.
        let goal = FRAMES_PER_SECOND_MAX + 1.0 / self.span.as_secs_f64();
        say(format!("  frames a second and viewer: median {median:.2}"))?;
        Row::at_most(format!("frames to a board, {rate} changes a second"), most, goal, "a second").tell()
    }
}

/// How often events came, those together counted once: from the first time to the last.
fn frames_per_second(heard: &[Heard]) -> f64 {
    let apart = heard.windows(2).filter(|pair| pair[1].1.since(pair[0].1) > APART_MS).count();
    let (Some((_, first)), Some((_, last))) = (heard.first(), heard.last()) else { return 0.0 };
    apart as f64 / (last.since(*first).max(1) as f64 / 1_000.0)
}

/// When each event was written down, by the server's clock, which is this machine's.
fn written(server: &Server) -> Result<HashMap<i64, UnixMs>> {
    let db = Connection::open(server.database())?;
    let mut rows = db.prepare("SELECT n, at_ms FROM event")?;
    let pairs = rows.query_map([], |row| Ok((row.get(0)?, UnixMs(row.get(1)?))))?;
    Ok(pairs.collect::<rusqlite::Result<_>>()?)
}

/// Listens to the events from now on, for ever.
async fn listen(calls: &Calls, open: &AtomicUsize, heard: &mut Vec<Heard>) -> Result<()> {
    let mut answer = calls.get("/events").send().await?.error_for_status()?;
    open.fetch_add(1, Ordering::SeqCst);
    let mut rest: Vec<u8> = Vec::new();
    while let Some(bytes) = answer.chunk().await? {
        let at = now();
        rest.extend_from_slice(&bytes);
        let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') else { continue };
        for line in rest[..end].split(|byte| *byte == b'\n') {
            let Some(number) = line.strip_prefix(b"id: ") else { continue };
            heard.push((std::str::from_utf8(number)?.parse()?, at));
        }
        rest.drain(..=end);
    }
    anyhow::bail!("the stream has ended")
}

/// What happens when a server comes back: every board reads the snapshot at the same time.
async fn all_at_once(calls: &Calls, viewers: usize, pid: u32) -> Result<()> {
    let (cpu, began_ms) = (cpu_time(pid)?, mono_ms());
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..viewers {
        let calls = calls.clone();
        tasks.spawn(async move {
            let request = calls.get("/board").header("accept-encoding", "gzip");
            let bytes = request.send().await?.error_for_status()?.bytes().await?;
            anyhow::Ok((bytes.len(), mono_ms() - began_ms))
        });
    }
    let (mut took_ms, mut bytes) = (Vec::new(), 0);
    while let Some(done) = tasks.join_next().await {
        let (size, ms) = done??;
        bytes = size;
        took_ms.push(ms);
    }
    let [median, max] = [0.5, 1.0].map(|share| quantile(&mut took_ms, share));
    say(format!(
        "{viewers} viewers read the snapshot at once, {bytes} bytes each as sent: median {median} ms, last {max} ms; the server used {:.1} s",
        cpu_time(pid)?.saturating_sub(cpu).as_secs_f64()
    ))
}
