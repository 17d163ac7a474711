//! The fault matrix: the real agent under every fault, at crash points by chance; see `faults` of the library.
//!
//! `SEED=… POINTS=… faults`; `KIND="power cut"` plays that kind alone, and then other kinds are not missed.

use std::io::Write;

use anyhow::{Context, Result};
use linewatch_tests::faults::{Kind, Options, run};
use linewatch_tests::harness::{Folder, interrupt_on_signals};

/// Points unless `POINTS` says otherwise.
const POINTS: u64 = 1_000;

fn main() -> Result<()> {
    interrupt_on_signals()?;
    let seed = match number("SEED")? {
        Some(seed) => seed,
        // Short enough to be typed again.
        None => uuid::Uuid::new_v4().as_u64_pair().0 >> 40,
    };
    let only = match std::env::var("KIND") {
        Ok(name) if !name.is_empty() => Some(Kind::named(&name).with_context(|| format!("KIND={name}"))?),
        _ => None,
    };
    let options = Options { seed, points: number("POINTS")?.unwrap_or(POINTS), only };
    tell(&format!("SEED={} POINTS={}", options.seed, options.points))?;
    let folder = Folder::in_memory()?;
    let played = run(&folder, options, |line| {
        // With standard output gone nobody reads it.
        let _ = tell(line);
    });
    let outcome = match played {
        Ok(outcome) => outcome,
        Err(error) => {
            keep_logs(&folder)?;
            return Err(error);
        }
    };
    tell(&outcome.table())?;
    if let Err(error) = outcome.check(only.is_none()) {
        keep_logs(&folder)?;
        return Err(error.context(format!("SEED={} POINTS={}", options.seed, options.points)));
    }
    tell("every record that was answered is at the server, once, byte for byte")
}

fn keep_logs(folder: &Folder) -> Result<()> {
    let to = std::env::temp_dir().join("linewatch-faults-logs");
    folder.copy_logs(&to)?;
    tell(&format!("the logs are in {}", to.display()))
}

fn number(name: &str) -> Result<Option<u64>> {
    match std::env::var(name) {
        Ok(text) if !text.is_empty() => Ok(Some(text.parse().with_context(|| format!("{name}={text}"))?)),
        _ => Ok(None),
    }
}

fn tell(line: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{line}").context("standard output")
}
