//! `make sim`: plays many seeds and adds up what happened. `SEED=n` plays that one alone, `TRACE=1` prints its steps.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use linewatch_tests::sim::{Counts, Options, Template, play};

/// Steps of a run.
const STEPS: u32 = 120;
/// Seeds, where nobody says how many.
const SEEDS: u64 = 200;
/// Seeds below which nobody expects every fault to have fallen.
const SEEDS_FOR_ALL: u64 = 100;
/// Failed seeds that are named.
const FAILURES_SHOWN: usize = 10;

fn number(name: &str) -> Result<Option<u64>> {
    match std::env::var(name).ok().filter(|text| !text.is_empty()) {
        Some(text) => Ok(Some(text.parse().with_context(|| format!("{name}={text} is no number"))?)),
        None => Ok(None),
    }
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a program of tests"
)]
fn main() -> ExitCode {
    let begun = Instant::now();
    match run() {
        Ok((seeds, counts)) => {
            println!("{seeds} seeds clean in {} s; what happened:", begun.elapsed().as_secs());
            print!("{counts}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("sim: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "progress")]
fn run() -> Result<(u64, Counts)> {
    let steps = u32::try_from(number("STEPS")?.unwrap_or(u64::from(STEPS)))?;
    let trace = std::env::var("TRACE").is_ok_and(|text| text == "1");
    let first = number("SEED")?;
    let seeds = if first.is_some() { 1 } else { number("SEEDS")?.unwrap_or(SEEDS) };
    let first = first.unwrap_or(1);
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build();
    let template = runtime()?.block_on(Template::make())?;
    let next = AtomicU64::new(first);
    let (sum, failures) = (Mutex::new(Counts::default()), Mutex::new(Vec::new()));
    let work = || -> Result<()> {
        let runtime = runtime()?;
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + seeds {
                return Ok(());
            }
            let options = Options { seed, steps, trace };
            match runtime.block_on(play(&template, &options)) {
                Ok(counts) => sum.lock().unwrap_or_else(PoisonError::into_inner).merge(&counts),
                Err(error) => {
                    eprintln!("{error:#}");
                    failures.lock().unwrap_or_else(PoisonError::into_inner).push(seed);
                }
            }
            if (seed + 1 - first).is_multiple_of(100) {
                eprintln!("{} seeds played", seed + 1 - first);
            }
        }
    };
    let workers = if trace { 1 } else { std::thread::available_parallelism().map_or(1, usize::from) };
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        handles
            .into_iter()
            .try_for_each(|handle| handle.join().unwrap_or_else(|_| bail!("a worker panicked")))
    })?;
    let failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    if !failures.is_empty() {
        let shown: Vec<_> = failures.iter().take(FAILURES_SHOWN).map(u64::to_string).collect();
        bail!(
            "{} of {seeds} seeds failed: {}; `make sim SEED={} TRACE=1` shows one step by step",
            failures.len(),
            shown.join(", "),
            shown[0]
        );
    }
    let counts = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    let missing = counts.missing();
    if seeds >= SEEDS_FOR_ALL && !missing.is_empty() {
        bail!("nothing is shown about what never happened: {}", missing.join(", "));
    }
    Ok((seeds, counts))
}
