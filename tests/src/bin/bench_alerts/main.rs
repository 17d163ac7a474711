//! How soon people hear of it: from a deadline's passing to the outbox and to the mail at the SMTP server, for 1,000 that pass
//! in one second beside a million that run; from the first lost packet to the fault on the board; and, where it is asked for,
//! the same mails beside 100,000 faults that a laptop has brought.
//!
//! `bench_alerts [million|detection|running]…`: those parts alone; the first two unless any is named.

mod million;

use anyhow::{Context, Result, ensure};
use linewatch_shared::time::UnixMs;
use linewatch_tests::bench::{Row, say};
use linewatch_tests::demo::{LINES, Lines, Narrator, Pace, Stage, StageOptions, see_a_cut};
use linewatch_tests::harness::{
    Agent, Api, BOUND, Folder, Mailbox, Server, ServerOptions, Store, interrupt_on_signals, mono_ms, now,
    pause, sample,
};
use linewatch_tests::load::WITHOUT_LIMITS;
use serde_json::json;

/// What is measured where nothing is named.
const USUAL: [&str; 2] = ["million", "detection"];
/// Faults that run in the background.
const RUNNING: usize = 100_000;
/// Faults whose alerts are timed, with 3 marks each.
const TIMED: usize = 10;
/// Their limit in milliseconds, and the parts of it at which mails are owed.
const LIMIT_MS: i64 = 6_000;
const MARKS: [(&str, i64); 3] = [("warn_50", 50), ("warn_80", 80), ("missed", 100)];
/// Records saved at a time.
const SAVED_AT_ONCE: usize = 2_000;
/// Cuts of each line.
const CUTS: usize = 2;
/// The promises.
const MAIL_WITHIN_MS: i64 = 1_000;
const BOARD_WITHIN_MS: i64 = 6_000;

const PACK: &str = "[pack]\nname = \"bench\"\nversion = \"1\"\ntime_zone = \"Asia/Shanghai\"\ncalendar = \"24x7\"\n\
    [[tier]]\nname = \"short\"\nlabel = { zh = \"短\", en = \"Short\" }\nrestore_within = \"6s\"\n\
    repair_within = \"3d\"\nfeedback_every = \"2h\"\ncallback_within = \"24h\"\nfaults_per_year_below = 9\n\
    interruption_per_year_at_most = \"6h\"\nvisit_every = \"30d\"\nwarn_at = [0.5, 0.8]\n";

/// What is measured by itself.
type Part = fn() -> Result<()>;

fn main() -> Result<()> {
    interrupt_on_signals()?;
    let parts: [(&str, Part); 3] = [("million", million::run), ("detection", detection), ("running", alerts)];
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    for name in &wanted {
        ensure!(
            parts.iter().any(|(part, _)| part == name),
            "no part {name}; there are: million, detection, running"
        );
    }
    for (name, run) in parts {
        if wanted.iter().any(|one| one == name) || (wanted.is_empty() && USUAL.contains(&name)) {
            run()?;
        }
    }
    Ok(())
}

fn figures(what: &str, mut times_ms: Vec<i64>, promise_ms: i64) -> Result<()> {
    times_ms.sort_unstable();
    let (Some(most), n) = (times_ms.last(), times_ms.len()) else { return Ok(()) };
    Row::at_most(format!("{what}, most of {n}"), *most as f64, promise_ms as f64, "ms").tell()?;
    say(format!("    median {} ms", times_ms[n / 2]))
}

struct Desk {
    server: Server,
    api: Api,
    mailbox: Mailbox,
    agent: Agent,
}

fn open(folder: &Folder) -> Result<Desk> {
    let mailbox = Mailbox::start(&folder.sub("mail")?)?;
    let packs = vec![("bench.toml".to_owned(), PACK.to_owned())];
    let options = ServerOptions {
        smtp: Some(mailbox.address),
        packs,
        more: WITHOUT_LIMITS.to_owned(),
        ..ServerOptions::default()
    };
    let mut server = Server::new(&folder.sub("server")?, &options)?;
    let api = server.user("bench", "noc", "a sample password")?;
    let all = "CUST-1,sample,standard,group-line,all@desk.example".to_owned();
    let mut customers = vec!["code,name,tier,pack,manager_email".to_owned(), all];
    let mut lines = vec!["code,customer,agent".to_owned()];
    for n in 0..TIMED * 2 {
        // An address of its own for each, so that no rate limit comes between.
        customers.push(format!("SHORT-{n},sample {n},short,bench,manager-{n}@desk.example"));
        lines.push(format!("SHORT-{n},SHORT-{n},field-laptop"));
    }
    for n in 0..RUNNING {
        lines.push(format!("{},CUST-1,field-laptop", sample::line(n)));
    }
    server.import("customers.csv", &customers.join("\n"))?;
    let began_ms = mono_ms();
    server.import("lines.csv", &lines.join("\n"))?;
    say(format!(
        "{} lines imported in {:.1} s",
        RUNNING + TIMED * 2,
        (mono_ms() - began_ms) as f64 / 1_000.0
    ))?;
    server.start()?;
    let agent = Agent::new(&folder.path().join("agent"), None, &[])?;
    agent.enroll(&server, "field-laptop")?;
    Ok(Desk { server, api, mailbox, agent })
}

/// Reports a fault of every line by the agent, as a laptop that comes back would.
fn load(desk: &Desk) -> Result<()> {
    let journal = sample::journal(&desk.agent)?;
    let at = now() + -60_000;
    for chunk in (0..RUNNING).collect::<Vec<_>>().chunks(SAVED_AT_ONCE) {
        let records: Vec<_> =
            chunk.iter().map(|n| sample::report(journal.scribe(), &sample::line(*n), at)).collect();
        journal.append_blocking(&records)?;
    }
    drop(journal);
    let began_ms = mono_ms();
    desk.agent.run(&["sync", "--quiet"])?.ok()?;
    let took_s = (mono_ms() - began_ms) as f64 / 1_000.0;
    let running = Store::Sqlite(desk.server.database())
        .number("SELECT COUNT(*) FROM deadline WHERE state = 'running'")?;
    ensure!(running >= RUNNING as i64, "only {running} deadlines run");
    say(format!("{RUNNING} faults synced in {took_s:.1} s; {running} deadlines run"))?;
    Ok(())
}

/// Reports faults one after the other; answers how late each of their mails was.
fn time_mails(desk: &Desk, first: usize) -> Result<Vec<i64>> {
    let mut faults = Vec::new();
    for n in first..first + TIMED {
        let report =
            json!({ "line": format!("SHORT-{n}"), "channel": "hotline", "reporter": "sample caller" });
        let fault = desk.api.post("/api/v1/faults", &report)?.expect(201)?;
        let started_at = UnixMs::parse_rfc3339(fault["started_at"].as_str().context("started_at")?)?;
        faults.push((fault["id"].as_str().context("id")?.to_owned(), started_at));
        // Spread over the limit, so that moments do not coincide.
        pause(std::time::Duration::from_millis(370))?;
    }
    let mut late_ms = Vec::new();
    for (fault, started_at) in faults {
        for (mark, percent) in MARKS {
            let mail =
                desk.mailbox.wait_for(BOUND, mark, |mail| mail.is_about(&fault, "restoration", mark))?;
            late_ms.push(mail.received_at.since(started_at + LIMIT_MS * percent / 100));
        }
    }
    Ok(late_ms)
}

fn alerts() -> Result<()> {
    let folder = Folder::new()?;
    let mut desk = open(&folder)?;
    let quiet = time_mails(&desk, 0)?;
    load(&desk)?;
    let busy = time_mails(&desk, TIMED)?;
    figures(
        "from a deadline's passing to the mail at the SMTP server, nothing else running",
        quiet,
        MAIL_WITHIN_MS,
    )?;
    figures(&format!("the same with {RUNNING} open faults"), busy, MAIL_WITHIN_MS)?;
    desk.server.stop()
}

fn detection() -> Result<()> {
    let folder = Folder::new()?;
    let options = StageOptions { pace: Pace::WATCH, http_port: None };
    let mut stage = Stage::set_up(folder.path(), Lines::new()?, options, &mut Narrator::quiet())?;
    say(format!("lines: {}", stage.lines.describe()))?;
    let mut times_ms = Vec::new();
    for round in 0..CUTS {
        for line in 0..LINES.len() {
            // At another phase of the probes' second each time.
            pause(std::time::Duration::from_millis(170 * (round * LINES.len() + line) as u64))?;
            times_ms.push(see_a_cut(&mut stage, line)?);
        }
    }
    figures("from the first lost packet to the fault on the board", times_ms, BOARD_WITHIN_MS)?;
    stage.take_down()
}
