//! How often a process makes the disk keep what it has written: each wakes a sleeping disk and costs battery.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::harness::{BOUND, Process};

const SECONDS_PER_MINUTE: f64 = 60.0;
/// Where a program is looked for that may be missing.
const PLACES: [&str; 2] = ["/usr/bin/strace", "/usr/local/bin/strace"];

/// Counts a process' calls of fsync and fdatasync over `span`, with strace, which slows it down: measure nothing else
/// meanwhile. None where there is no strace.
///
/// # Errors
/// When strace may not look at the process, or says nothing.
pub fn syncs_per_minute(pid: u32, folder: &Path, span: Duration) -> Result<Option<f64>> {
    let Some(strace) = PLACES.map(Path::new).into_iter().find(|path| path.exists()) else { return Ok(None) };
    let (table, log) = (folder.join("strace.txt"), folder.join("strace.log"));
    let (pid, out) = (pid.to_string(), table.display().to_string());
    let args = ["-f", "-c", "-e", "trace=fsync,fdatasync", "-o", &out, "-p", &pid].map(OsStr::new);
    let mut counting = Process::start("strace", strace, &args, &log)?;
    thread::sleep(span);
    ensure!(counting.ended()?.is_none(), "strace ended: {}", fs::read_to_string(&log).unwrap_or_default());
    // It ends by the signal that it was sent.
    counting.terminate(BOUND)?;
    let calls = calls(&fs::read_to_string(&table).context("strace wrote no table")?);
    Ok(Some(calls as f64 * SECONDS_PER_MINUTE / span.as_secs_f64()))
}

/// Adds up the column "calls" of strace's table.
fn calls(table: &str) -> u64 {
    let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| matches!(row.last(), Some(&("fsync" | "fdatasync"))))
        .filter_map(|row| row.get(3)?.parse::<u64>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_calls_are_added_up_and_the_total_is_not() {
        let table = "% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 90.00    0.000010           1        12           fdatasync
 10.00    0.000001           1         3         1 fsync
------ ----------- ----------- --------- --------- ----------------
100.00    0.000011           0        15         1 total
";
        assert_eq!(calls(table), 15);
        assert_eq!(calls(""), 0, "strace says nothing where nothing was called");
    }
}
