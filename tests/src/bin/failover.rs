//! The primary of PostgreSQL is killed under load and its standby promoted; see `nodes::failover` of the library.
//!
//! `SEED=… failover`

use std::io::Write;

use anyhow::{Context, Result};
use linewatch_tests::harness::{Folder, interrupt_on_signals};
use linewatch_tests::nodes::failover;

fn main() -> Result<()> {
    interrupt_on_signals()?;
    let seed = match std::env::var("SEED") {
        Ok(text) if !text.is_empty() => text.parse().with_context(|| format!("SEED={text}"))?,
        // Short enough to be typed again.
        _ => uuid::Uuid::new_v4().as_u64_pair().0 >> 40,
    };
    say(&format!("SEED={seed}"));
    let folder = Folder::new()?;
    match failover::run(&folder, seed, say) {
        Ok(outcome) => say(&outcome.table()),
        Err(error) => {
            let to = std::env::temp_dir().join("linewatch-failover-logs");
            folder.copy_logs(&to)?;
            say(&format!("the logs are in {}", to.display()));
            return Err(error.context(format!("SEED={seed}")));
        }
    }
    Ok(())
}

fn say(line: &str) {
    // With standard output gone there is nobody left to tell.
    let _ = writeln!(std::io::stdout(), "{line}");
}
