//! A thousand deadlines that pass in the same second, each for another manager, beside a million that run. From the
//! moment at which they were due to the moment at which all alerts were in the outbox, and to the one at which the SMTP
//! server had the mail. And what a million that run cost while none of them is due.
//!
//! `LINEWATCH_BENCH_RUNNING`, `LINEWATCH_BENCH_DUE` take other numbers.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use linewatch_shared::time::UnixMs;
use linewatch_tests::bench::{Row, say, spread};
use linewatch_tests::harness::{
    Folder, Server, ServerOptions, Store, block_on, eventually, mono_ms, now, pause,
};
use linewatch_tests::load::{Calls, WITHOUT_LIMITS, quantile, report};
use linewatch_tests::procfs::{cpu_time, peak_rss_kib};
use linewatch_tests::smtp::{Received, SmtpServer};
use rusqlite::Connection;

use super::MAIL_WITHIN_MS;

/// The limit of those that pass, and the parts of it at which mails are owed.
const LIMIT_S: i64 = 60;
const MARKS: [(&str, i64); 3] = [("warn_50", 50), ("warn_80", 80), ("missed", 100)];
/// Mails that have not come so long after they were owed are missing.
const MISSING_AFTER: Duration = Duration::from_mins(2);
/// How long it is watched while nothing is due, and what may be used then: percent of a core.
const IDLE: Duration = Duration::from_secs(15);
const IDLE_GOAL: f64 = 0.5;
/// From the moment at which alerts are due until all are in the outbox, and how often it is looked whether they are.
const OUTBOX_GOAL_MS: f64 = 500.0;
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// The line whose fault is copied until a million deadlines run.
const COPIED: &str = "COPIED";

const PACK: &str = "[pack]\nname = \"bench\"\nversion = \"1\"\ntime_zone = \"Asia/Shanghai\"\ncalendar = \"24x7\"\n\
    [[tier]]\nname = \"short\"\nlabel = { zh = \"短\", en = \"Short\" }\nrestore_within = \"60s\"\n\
    repair_within = \"3d\"\nfeedback_every = \"20h\"\ncallback_within = \"24h\"\nfaults_per_year_below = 9\n\
    interruption_per_year_at_most = \"6h\"\nvisit_every = \"30d\"\nwarn_at = [0.5, 0.8]\n\
    [[tier]]\nname = \"long\"\nlabel = { zh = \"长\", en = \"Long\" }\nrestore_within = \"3d\"\n\
    repair_within = \"9d\"\nfeedback_every = \"2d\"\ncallback_within = \"24h\"\nfaults_per_year_below = 9\n\
    interruption_per_year_at_most = \"6h\"\nvisit_every = \"30d\"\nwarn_at = [0.5, 0.8]\n";

/// Measures it and says so.
///
/// # Errors
/// When the server or a mail is missing.
pub fn run() -> Result<()> {
    let (running, due) = (size("RUNNING", 1_000_000), size("DUE", 1_000));
    let folder = Folder::new()?;
    let mails = block_on(SmtpServer::local())?;
    let packs = vec![("bench.toml".to_owned(), PACK.to_owned())];
    let options = ServerOptions {
        smtp: Some(mails.address),
        packs,
        more: WITHOUT_LIMITS.to_owned(),
        ..ServerOptions::default()
    };
    let mut server = Server::new(folder.path(), &options)?;
    let calls = Calls::new(&server, "bench", "noc")?;
    import(&server, due)?;
    server.start()?;
    block_on(report(&calls, vec![(COPIED.to_owned(), now())]))?;
    server.stop()?;
    fill(&server, running)?;
    server.start()?;
    let pid = server.pid().context("the server has ended")?;

    idle(pid, running)?;

    let (cpu, began_ms, started_at) = (cpu_time(pid)?, mono_ms(), now());
    let faults = (0..due).map(|n| (line(n), started_at)).collect();
    block_on(report(&calls, faults))?;
    let took_s = (mono_ms() - began_ms) as f64 / 1_000.0;
    ensure!(
        now() < started_at + LIMIT_S * 500,
        "reporting took too long: the first warnings are due already"
    );
    say(format!("{due} faults reported in {took_s:.1} s, all since the same moment"))?;
    let expected = due * MARKS.len();
    let outbox = Outbox::open(&server)?;
    let mut took_ms = Vec::new();
    for (mark, percent) in MARKS {
        let due_at = started_at + LIMIT_S * 10 * percent;
        pause(Duration::from_millis(u64::try_from(due_at.since(now())).unwrap_or_default()))?;
        took_ms.push(outbox.full_after_ms(mark, due, due_at)?);
    }
    let path =
        format!("{due} alerts due at once beside {running} running deadlines, until all are in the outbox");
    Row::at_most(path, spread(&took_ms)[0], OUTBOX_GOAL_MS, "ms").tell()?;
    say(format!("    {} ms", took_ms.iter().map(|ms| format!("{ms:.0}")).collect::<Vec<_>>().join(", ")))?;
    let came = eventually(MISSING_AFTER, "all mails", || {
        let mails = about(&mails.received());
        Ok((mails.len() >= expected).then_some(mails))
    })?;
    for (mark, percent) in MARKS {
        let due_at = started_at + LIMIT_S * 10 * percent;
        let late = came.iter().filter(|(of, _)| of == mark).map(|(_, at)| at.since(due_at));
        tell(mark, late.collect(), running)?;
    }
    say(format!(
        "the server used {:.1} s of processor time and {} MiB at its peak; {} connections to the SMTP server, {} at once",
        cpu_time(pid)?.saturating_sub(cpu).as_secs_f64(),
        peak_rss_kib(pid)? / 1_024,
        mails.connections(),
        mails.connections_at_once()
    ))?;
    server.stop()
}

fn size(name: &str, usual: usize) -> usize {
    std::env::var(format!("LINEWATCH_BENCH_{name}")).ok().and_then(|n| n.parse().ok()).unwrap_or(usual)
}

fn line(n: usize) -> String {
    format!("SHORT-{n:05}")
}

/// A customer with a manager of its own for each line, so that no mail waits for another one's recipient.
fn import(server: &Server, due: usize) -> Result<()> {
    let mut customers = vec!["code,name,tier,pack,manager,manager_email".to_owned()];
    let mut lines = vec!["code,customer".to_owned()];
    customers.push("MANY,sample,long,bench,all,all@desk.example".to_owned());
    lines.push(format!("{COPIED},MANY"));
    for n in 0..due {
        customers.push(format!("C-{n},sample {n},short,bench,manager-{n},manager-{n}@desk.example"));
        lines.push(format!("{},C-{n}", line(n)));
    }
    server.import("customers.csv", &customers.join("\n"))?;
    server.import("lines.csv", &lines.join("\n"))?;
    Ok(())
}

/// Copies the one fault, with its promises, until so many run; nothing of them is due for days.
fn fill(server: &Server, running: usize) -> Result<()> {
    let began_ms = mono_ms();
    let db = Connection::open(server.database())?;
    let owed: i64 = db.query_row(
        "SELECT COUNT(*) FROM deadline WHERE state = 'running' AND line = $1",
        [COPIED],
        |row| row.get(0),
    )?;
    ensure!(owed > 0, "the fault owes nothing");
    let copies = running as i64 / owed;
    let others = |table: &str, left: &[&str]| -> Result<String> {
        let mut names = db.prepare(&format!("SELECT name FROM pragma_table_info('{table}')"))?;
        let names: Vec<String> = names.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let kept = names.into_iter().filter(|name| !left.contains(&name.as_str()));
        Ok(kept.collect::<Vec<_>>().join(", "))
    };
    let (fault, deadline) =
        (others("fault", &["id", "next_wake_ms"])?, others("deadline", &["subject", "due_at_ms"])?);
    let copy = format!(
        "BEGIN;
         CREATE TEMP TABLE copy AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {copies})
             SELECT i, randomblob(16) AS id FROM n;
         INSERT INTO fault (id, next_wake_ms, {fault})
             SELECT copy.id, f.next_wake_ms + copy.i, {} FROM copy, fault f WHERE f.line = '{COPIED}';
         INSERT INTO deadline (subject, due_at_ms, {deadline})
             SELECT copy.id, d.due_at_ms + copy.i, {} FROM copy, deadline d WHERE d.line = '{COPIED}';
         COMMIT; PRAGMA wal_checkpoint(TRUNCATE);",
        fault.split(", ").map(|name| format!("f.{name}")).collect::<Vec<_>>().join(", "),
        deadline.split(", ").map(|name| format!("d.{name}")).collect::<Vec<_>>().join(", "),
    );
    db.execute_batch(&copy)?;
    drop(db);
    let running =
        Store::Sqlite(server.database()).number("SELECT COUNT(*) FROM deadline WHERE state = 'running'")?;
    let took_s = (mono_ms() - began_ms) as f64 / 1_000.0;
    say(format!("{running} deadlines of {} faults run; made in {took_s:.0} s", copies + 1))?;
    Ok(())
}

/// The marks that mails are about, and when these came.
fn about(mails: &[Received]) -> Vec<(String, UnixMs)> {
    let key = |mail: &Received| mail.header("X-Linewatch-Key");
    let marks = mails.iter().flat_map(|mail| {
        let keys = key(mail);
        let of = |key: &str| {
            let parts: Vec<_> = key.split('/').collect();
            (parts.get(1) == Some(&"restoration")).then(|| Some((*parts.get(3)?).to_owned())).flatten()
        };
        keys.split(", ").filter_map(of).map(|mark| (mark, mail.at)).collect::<Vec<_>>()
    });
    marks.filter(|(mark, _)| MARKS.iter().any(|(known, _)| known == mark)).collect()
}

fn tell(mark: &str, mut late_ms: Vec<i64>, running: usize) -> Result<()> {
    let n = late_ms.len();
    let [median, p99, most] = [0.5, 0.99, 1.0].map(|share| quantile(&mut late_ms, share));
    let path = format!("{n} mails ({mark}) due at once beside {running}, at the SMTP server, p99");
    Row::at_most(path, p99 as f64, MAIL_WITHIN_MS as f64, "ms").tell()?;
    say(format!("    median {median} ms, most {most} ms"))
}

/// What it costs while nothing is due.
fn idle(pid: u32, running: usize) -> Result<()> {
    let (cpu, began_ms) = (cpu_time(pid)?, mono_ms());
    pause(IDLE)?;
    let took_s = (mono_ms() - began_ms) as f64 / 1_000.0;
    let share = cpu_time(pid)?.saturating_sub(cpu).as_secs_f64() / took_s * 100.0;
    Row::at_most(format!("{running} running deadlines, none due, CPU"), share, IDLE_GOAL, "% of a core")
        .tell()
}

/// The server's outbox, as another reader of its database sees it.
struct Outbox(Connection);

impl Outbox {
    fn open(server: &Server) -> Result<Self> {
        Ok(Self(Connection::open(server.database())?))
    }

    /// Waits until there are so many alerts of a mark; how long that was after they were due (ms).
    fn full_after_ms(&self, mark: &str, count: usize, due_at: UnixMs) -> Result<f64> {
        let sql = "SELECT COUNT(*) FROM outbox WHERE key LIKE ?1 AND created_at_ms >= ?2";
        let mut counted = self.0.prepare(sql)?;
        let of_mark = format!("%/restoration/%/{mark}/%");
        loop {
            let there: i64 = counted.query_row((&of_mark, due_at.0), |row| row.get(0))?;
            let late_ms = now().since(due_at);
            if there >= count as i64 {
                return Ok(late_ms as f64);
            }
            ensure!(late_ms < MISSING_AFTER.as_millis() as i64, "{there} of {count} alerts ({mark})");
            std::thread::sleep(LOOK_EVERY);
        }
    }
}
