//! What is read, over HTTP from a server.

use anyhow::Result;
use linewatch_agent::clock::{BootClock, NanoClock};
use linewatch_tests::harness::{BOUND, Server, Store, block_on, eventually, mono_ms, now};
use linewatch_tests::large::{customer, line};
use linewatch_tests::load::{Calls, quantile};
use uuid::Uuid;

use super::{FLAT, LINEAR, Point};

/// Each is asked for so often, or for so long: at least thrice.
const ASKED: usize = 15;
const ASKED_MS: i64 = 1_500;

/// Everything that is read.
pub(super) fn measure(server: &Server, calls: &Calls, fault: Uuid) -> Result<Vec<Point>> {
    settle(server)?;
    let (line, customer) = (line(500), customer(25));
    let month = last_month();
    let paths = [
        ("the board's snapshot", FLAT, "/board".to_owned()),
        ("a page of faults", LINEAR, "/faults?limit=100".to_owned()),
        ("a page of open faults", LINEAR, "/faults?state=open&limit=100".to_owned()),
        ("a fault with its story", LINEAR, format!("/faults/{fault}")),
        ("a line's faults", LINEAR, format!("/faults?line={line}")),
        ("a line with its figures", LINEAR, format!("/lines/{line}")),
        ("a customer's faults", LINEAR, format!("/faults?customer={customer}")),
        ("a page of promises", LINEAR, "/deadlines?limit=100".to_owned()),
        ("a page of missed promises", LINEAR, "/deadlines?state=missed&limit=100".to_owned()),
        ("a page of lines", LINEAR, "/lines?limit=100".to_owned()),
        ("a search for lines", LINEAR, "/lines?q=hall%20777".to_owned()),
        ("a search for customers", LINEAR, "/customers?q=C-00049".to_owned()),
        ("a page of availability", LINEAR, "/availability?limit=100".to_owned()),
        ("customers at risk", LINEAR, "/customers/at-risk".to_owned()),
        ("the daily list", LINEAR, "/daily-list".to_owned()),
        ("proposals of grades", LINEAR, "/grade-proposals".to_owned()),
        ("a month's report", LINEAR, format!("/reports/month/{month}")),
        ("the quality of a month", LINEAR, format!("/quality/{month}")),
    ];
    paths.into_iter().map(|(path, goal, url)| point(calls, path, goal, &url)).collect()
}

fn point(calls: &Calls, path: &str, goal: f64, url: &str) -> Result<Point> {
    // What is read for the first time comes from the disk. What the server gives up counts as the time that it has for it.
    if let Err(error) = block_on(ask(calls, url, OVER_HTTPS)) {
        let counted = Some(format!("{url} is not answered: {error}"));
        return Ok(Point { path: path.to_owned(), goal, ms: NOT_ANSWERED_MS, counted });
    }
    let (mut times_us, began_ms) = (Vec::new(), mono_ms());
    while times_us.len() < 3 || (times_us.len() < ASKED && mono_ms() - began_ms < ASKED_MS) {
        times_us.push(block_on(ask(calls, url, OVER_HTTPS))?.0);
    }
    let ms = quantile(&mut times_us, 0.5) as f64 / 1_000.0;
    Ok(Point { path: path.to_owned(), goal, ms, counted: None })
}

/// The time that the server has for an answer.
const NOT_ANSWERED_MS: f64 = 30_000.0;

/// What a browser understands that reaches the server over HTTPS, and one that does not.
pub(super) const OVER_HTTPS: &str = "gzip, deflate, br, zstd";
pub(super) const IN_THE_CLEAR: &str = "gzip, deflate";

/// Asks as a browser does: how long until the whole answer was there (µs), and its bytes.
pub(super) async fn ask(calls: &Calls, url: &str, understood: &str) -> Result<(i64, usize)> {
    let began_ns = BootClock.mono_ns();
    let answer = calls.get(url).header("accept-encoding", understood).send().await?.error_for_status()?;
    let bytes = answer.bytes().await?.len();
    Ok(((BootClock.mono_ns() - began_ns) / 1_000, bytes))
}

/// Waits until the engine has done what is due.
pub(super) fn settle(server: &Server) -> Result<()> {
    let store = Store::Sqlite(server.database());
    eventually(BOUND, "nothing is overdue", || {
        let sql = format!("SELECT COUNT(*) FROM fault WHERE next_wake_ms <= {}", now().0);
        Ok((store.number(&sql)? == 0).then_some(()))
    })
}

/// The month before this one.
fn last_month() -> String {
    let today = now().to_rfc3339();
    let (year, month) = (today[..4].parse().unwrap_or(0), today[5..7].parse().unwrap_or(1));
    if month == 1 { format!("{}-12", year - 1) } else { format!("{year}-{:02}", month - 1) }
}
