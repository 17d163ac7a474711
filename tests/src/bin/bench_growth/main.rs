//! How each path of the server grows: with 10,000 faults on 1,000 lines, and ten and a hundred times of both. 500 faults
//! are open each time. With the most, 5,000 of them: the board's snapshot, as a browser asks for it.
//!
//! `bench_growth [--steps N] [--database FILE]`: 1 to 3 steps, 3 unless given; the last step's database is kept as FILE.

mod reads;
mod writes;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use linewatch_shared::facts::Lane;
use linewatch_shared::time::MINUTE_MS;
use linewatch_tests::bench::{Row, say};
use linewatch_tests::bench_growth::Growth;
use linewatch_tests::harness::{Folder, Server, ServerOptions, block_on, interrupt_on_signals, mono_ms, now};
use linewatch_tests::large::{LargeDesk, Size, make};
use linewatch_tests::load::{Calls, WITHOUT_LIMITS, quantile};
use uuid::Uuid;

const USAGE: &str = "usage: bench_growth [--steps N] [--database FILE]";
/// Thousands of lines at each step, and faults of each line.
const STEPS: [usize; 3] = [1, 10, 100];
const FAULTS_OF_LINE: usize = 10;
/// Faults that are open while paths are compared, and when the board is measured by itself.
const OPEN: usize = 500;
const OPEN_MOST: usize = 5_000;
/// The most that a path may grow by: a little more than in proportion, which is n log n; and the board, which is flat.
const LINEAR: f64 = 1.1;
const FLAT: f64 = 0.1;
/// How often the board is asked for by itself, and its goal.
const BOARD_ASKED: usize = 100;
const BOARD_GOAL_MS: f64 = 30.0;

fn main() -> Result<()> {
    interrupt_on_signals()?;
    let (mut steps, mut kept) = (STEPS.len(), None);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let value = args.next().context(USAGE)?;
        match arg.as_str() {
            "--steps" => steps = value.parse::<usize>().context(USAGE)?.clamp(1, STEPS.len()),
            "--database" => kept = Some(PathBuf::from(value)),
            _ => bail!(USAGE),
        }
    }
    let mut all: Vec<Growth> = Vec::new();
    for (step, thousands) in STEPS.into_iter().take(steps).enumerate() {
        let size = Size { lines: thousands * 1_000, faults_of_line: FAULTS_OF_LINE };
        let is_last = step + 1 == steps;
        let points = at(size, is_last, kept.as_deref().filter(|_| is_last))?;
        all.resize_with(points.len(), Growth::default);
        for (growth, point) in all.iter_mut().zip(points) {
            growth.path = format!("growth of {}", point.path);
            growth.goal = point.goal;
            growth.points.push([thousands as f64, point.ms]);
            growth.counted.extend(point.counted);
        }
    }
    for growth in all.iter().filter(|_| steps > 1) {
        growth.tell()?;
    }
    Ok(())
}

/// What one path took at one size.
struct Point {
    path: String,
    goal: f64,
    ms: f64,
    counted: Option<String>,
}

/// Everything at one size.
fn at(size: Size, with_board: bool, kept: Option<&std::path::Path>) -> Result<Vec<Point>> {
    let folder = Folder::new()?;
    let options = ServerOptions { more: WITHOUT_LIMITS.to_owned(), ..ServerOptions::default() };
    let mut server = Server::new(folder.path(), &options)?;
    let database = server.database();
    std::fs::create_dir_all(database.parent().context("a folder")?)?;
    let began_ms = mono_ms();
    let mut desk = block_on(make(&database, size, now()))?;
    let open = block_on(open(&mut desk, size, 0..OPEN))?;
    let bytes = std::fs::metadata(&database)?.len();
    say(format!(
        "{} faults of {} lines, {OPEN} of them open: {:.2} GB, made in {:.0} s",
        size.faults(),
        size.lines,
        bytes as f64 / 1e9,
        (mono_ms() - began_ms) as f64 / 1_000.0
    ))?;
    let mut points = block_on(writes::measure(&mut desk, &open))?;
    let calls = Calls::new(&server, "bench", "admin")?;
    let closed = desk.close();
    server.start()?;
    points.extend(reads::measure(&server, &calls, open[0].1)?);
    server.stop()?;
    if with_board {
        let mut desk = block_on(closed.open())?;
        block_on(self::open(&mut desk, size, OPEN..OPEN_MOST))?;
        drop(desk);
        board(&mut server, &calls, size)?;
    }
    if let Some(kept) = kept {
        std::fs::copy(&database, kept)?;
    }
    Ok(points)
}

/// Reports faults of lines spread over all, the earliest three hours ago; some are worked on.
async fn open(desk: &mut LargeDesk, size: Size, range: std::ops::Range<usize>) -> Result<Vec<(usize, Uuid)>> {
    let now = now();
    let mut opened = Vec::new();
    for n in range {
        // Every other line at most, so that the one beside it has none.
        let line = (2 * 7_919 * n) % size.lines;
        let at = now + -((n as i64 * 7_919) % 180 + 1) * MINUTE_MS;
        let report = desk.report(line, at);
        let id = report.id;
        let mut records = vec![report];
        if n % 3 == 0 {
            let kind = linewatch_shared::facts::StepKind::Acknowledged;
            records.push(desk.step(id, at + MINUTE_MS / 2, kind));
        }
        desk.take(Lane::Fault, line, records, now).await?;
        opened.push((line, id));
    }
    Ok(opened)
}

/// The board's snapshot, as a browser asks for it: compressed, one after the other.
fn board(server: &mut Server, calls: &Calls, size: Size) -> Result<()> {
    server.start()?;
    reads::settle(server)?;
    for understood in [reads::OVER_HTTPS, reads::IN_THE_CLEAR] {
        let (mut times_us, mut bytes) = (Vec::new(), 0);
        for _ in 0..BOARD_ASKED {
            let (took_us, size) = block_on(reads::ask(calls, "/board", understood))?;
            times_us.push(took_us);
            bytes = size;
        }
        let [median, p99] = [0.5, 0.99].map(|share| quantile(&mut times_us, share) as f64 / 1_000.0);
        let path = format!(
            "the board's snapshot ({understood}), {OPEN_MOST} open of {} faults and {} lines, p99",
            size.faults() + OPEN_MOST,
            size.lines
        );
        Row::at_most(path, p99, BOARD_GOAL_MS, "ms").tell()?;
        say(format!("    median {median:.1} ms, {bytes} bytes as sent"))?;
    }
    server.stop()
}
