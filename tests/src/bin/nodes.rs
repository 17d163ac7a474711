//! Two nodes on one PostgreSQL, killed at moments of chance; see `nodes` of the library.
//!
//! `SEED=… SECONDS=… nodes`

use std::io::Write;

use anyhow::{Context, Result};
use linewatch_tests::harness::{Folder, interrupt_on_signals};
use linewatch_tests::nodes::{Options, run};

/// Unless `SECONDS` says otherwise.
const SECONDS: u64 = 60;

fn main() -> Result<()> {
    interrupt_on_signals()?;
    // Short enough to be typed again.
    let seed = number("SEED")?.unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0 >> 40);
    let options = Options { seed, seconds: number("SECONDS")?.unwrap_or(SECONDS) };
    say(&format!("SEED={} SECONDS={}", options.seed, options.seconds));
    let folder = Folder::new()?;
    match run(&folder, options, say) {
        Ok(outcome) => say(&outcome.table()),
        Err(error) => {
            let to = std::env::temp_dir().join("linewatch-nodes-logs");
            folder.copy_logs(&to)?;
            say(&format!("the logs are in {}", to.display()));
            return Err(error.context(format!("SEED={} SECONDS={}", options.seed, options.seconds)));
        }
    }
    Ok(())
}

fn number(name: &str) -> Result<Option<u64>> {
    match std::env::var(name) {
        Ok(text) if !text.is_empty() => Ok(Some(text.parse().with_context(|| format!("{name}={text}"))?)),
        _ => Ok(None),
    }
}

fn say(line: &str) {
    // With standard output gone there is nobody left to tell.
    let _ = writeln!(std::io::stdout(), "{line}");
}
