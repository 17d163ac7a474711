//! What the kernel says about a process: CPU used, memory at its peak. For benchmarks.

use std::fs;
use std::io;
use std::time::Duration;

use nix::unistd::{SysconfVar, sysconf};

const DEFAULT_TICKS_PER_SECOND: u64 = 100;

/// CPU time that a process (all its threads, not its children) has used since it began: user and system.
///
/// # Errors
/// When there is no such process.
pub fn cpu_time(pid: u32) -> io::Result<Duration> {
    cpu_fields(pid, [14, 15])
}

/// CPU time that those children of this process have used who have ended and were waited for.
///
/// # Errors
/// When the kernel does not say.
pub fn children_cpu_time() -> io::Result<Duration> {
    cpu_fields(std::process::id(), [16, 17])
}

/// Two fields of `stat`, as they are numbered in proc(5), added up.
fn cpu_fields(pid: u32, numbers: [usize; 2]) -> io::Result<Duration> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold anything; fields are counted behind it, beginning with the third.
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
    let field = |n: usize| fields.split_ascii_whitespace().nth(n - 3).and_then(|f| f.parse::<u64>().ok());
    let [Some(user), Some(system)] = numbers.map(field) else { return Err(bad(pid, "stat")) };
    let per_second = sysconf(SysconfVar::CLK_TCK).ok().flatten().and_then(|n| u64::try_from(n).ok());
    let per_second = per_second.unwrap_or(DEFAULT_TICKS_PER_SECOND);
    Ok(Duration::from_micros((user + system) * 1_000_000 / per_second))
}

/// The most memory that a process ever had resident, in KiB (`VmHWM`).
///
/// # Errors
/// When there is no such process.
pub fn peak_rss_kib(pid: u32) -> io::Result<u64> {
    status_kib(pid, "VmHWM:")
}

/// The memory that a process has resident now, in KiB (`VmRSS`).
///
/// # Errors
/// When there is no such process.
pub fn rss_kib(pid: u32) -> io::Result<u64> {
    status_kib(pid, "VmRSS:")
}

fn status_kib(pid: u32, key: &str) -> io::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse().ok()).ok_or_else(|| bad(pid, "status"))
}

fn bad(pid: u32, file: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("/proc/{pid}/{file} is not as expected"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_cpu_and_memory() {
        let me = std::process::id();
        let before = cpu_time(me).unwrap();
        let mut sum = 0_u64;
        while cpu_time(me).unwrap() < before + Duration::from_millis(20) {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(rss_kib(me).unwrap() > 500 && peak_rss_kib(me).unwrap() >= rss_kib(me).unwrap() / 2);
    }

    #[test]
    fn a_process_that_is_not_there_is_an_error() {
        assert!(cpu_time(u32::MAX).is_err() && peak_rss_kib(u32::MAX).is_err());
    }
}
