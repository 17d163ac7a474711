//! Reads how this machine fares. What can't be read is absent or unknown; nothing here fails.

use std::fs;
use std::path::Path;
use std::process;

use linewatch_shared::health::{Battery, ClockSource, ClockState, Health};
use nix::sys::statvfs::statvfs;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, RefreshKind, System};

const POWER_SUPPLY_PATH: &str = "/sys/class/power_supply";
const RUN_PATH: &str = "/run";
/// Power supplies looked at.
const MAX_SUPPLIES: usize = 32;

/// Reads the figures. `data_dir` decides which file system counts. Takes a few milliseconds: not for an async
/// task's every turn.
#[must_use]
pub fn read_health(data_dir: &Path) -> Health {
    let mut health = Health {
        battery: read_battery(Path::new(POWER_SUPPLY_PATH)),
        clock_source: find_clock_source(Path::new(RUN_PATH)),
        clock: read_clock_state(Path::new(RUN_PATH)),
        load_1m_milli: System::load_average().ok().map(|load| (load.one.max(0.0) * 1_000.0) as u32),
        uptime_s: System::uptime().ok(),
        ..Health::default()
    };
    if let Ok(disk) = statvfs(data_dir) {
        // Blocks that an ordinary user can still get, not those kept for root.
        let unit = disk.fragment_size();
        health.disk_free_bytes = Some(disk.blocks_available().saturating_mul(unit));
        health.disk_total_bytes = Some(disk.blocks().saturating_mul(unit));
    }
    read_memory(&mut health);
    health
}

fn read_memory(health: &mut Health) {
    let Ok(mut system) = System::new_with_specifics(RefreshKind::nothing()) else {
        return;
    };
    system.refresh_memory();
    let known = |bytes: u64| (bytes > 0).then_some(bytes);
    health.memory_total_bytes = known(system.total_memory());
    health.memory_available_bytes = health.memory_total_bytes.map(|_| system.available_memory());
    let own = Pid::from_u32(process::id());
    let memory_only = ProcessRefreshKind::nothing().with_memory();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[own]), false, memory_only);
    health.own_memory_bytes = system.process(own).and_then(|process| known(process.memory()));
}

/// The emptiest battery of the machine; peripherals' batteries (`scope` is `Device`) are left out.
fn read_battery(supplies: &Path) -> Option<Battery> {
    let field =
        |supply: &Path, name: &str| Some(fs::read_to_string(supply.join(name)).ok()?.trim().to_owned());
    let read = |supply: &Path| {
        if field(supply, "type")? != "Battery"
            || field(supply, "scope").is_some_and(|scope| scope == "Device")
        {
            return None;
        }
        let percent = field(supply, "capacity")?.parse::<u8>().ok()?.min(100);
        let discharging = field(supply, "status").is_some_and(|status| status == "Discharging");
        Some(Battery { percent, discharging })
    };
    let entries = fs::read_dir(supplies).ok()?.take(MAX_SUPPLIES).flatten();
    entries.filter_map(|entry| read(&entry.path())).min_by_key(|battery| battery.percent)
}

/// Looks for the traces that running time services leave under `/run`.
fn find_clock_source(run: &Path) -> ClockSource {
    let traces = [
        ("chrony/chronyd.pid", ClockSource::Chrony),
        ("chrony/chronyd.sock", ClockSource::Chrony),
        ("chronyd.pid", ClockSource::Chrony),
        ("ntpd.pid", ClockSource::Ntpd),
        ("ntpsec/ntpd.pid", ClockSource::Ntpd),
        ("systemd/timesync", ClockSource::Timesyncd),
    ];
    traces
        .iter()
        .find(|(path, _)| run.join(path).exists())
        .map_or(ClockSource::Unknown, |&(_, source)| source)
}

/// Asks the kernel; where it may not be asked (a sandbox), timesyncd's own mark is taken.
fn read_clock_state(run: &Path) -> ClockState {
    match kernel_says_synchronised() {
        Some(true) => ClockState::Synchronised,
        Some(false) => ClockState::Unsynchronised,
        None if run.join("systemd/timesync/synchronized").exists() => ClockState::Synchronised,
        None => ClockState::Unknown,
    }
}

/// The kernel's own verdict on its clock; none when it refuses to say.
#[expect(unsafe_code, reason = "adjtimex has no safe wrapper in the crates we use")]
fn kernel_says_synchronised() -> Option<bool> {
    // SAFETY: `timex` is a plain C struct of integers, for which all zeros is a valid value; `modes` of zero
    // makes the call a reading one, which writes only into the struct that it is handed.
    let (state, status) = unsafe {
        let mut timex: libc::timex = std::mem::zeroed();
        (libc::adjtimex(&raw mut timex), timex.status)
    };
    (state >= 0).then_some(status & libc::STA_UNSYNC == 0 && state != libc::TIME_ERROR)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn supply(dir: &Path, name: &str, fields: &[(&str, &str)]) {
        let path = dir.join(name);
        fs::create_dir(&path).unwrap();
        for (field, value) in fields {
            fs::write(path.join(field), format!("{value}\n")).unwrap();
        }
    }

    #[test]
    fn this_machine_can_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let health = read_health(dir.path());
        assert!(health.disk_total_bytes.unwrap() >= health.disk_free_bytes.unwrap());
        assert!(health.memory_total_bytes.unwrap() > health.own_memory_bytes.unwrap());
        assert!(health.memory_available_bytes.is_some() && health.load_1m_milli.is_some());
        assert!(health.uptime_s.unwrap() > 0);
    }

    #[test]
    fn a_directory_that_is_not_there_has_no_disk_figures() {
        let health = read_health(Path::new("/nonexistent/linewatch"));
        assert_eq!((health.disk_free_bytes, health.disk_total_bytes), (None, None));
    }

    #[test]
    fn the_emptiest_battery_of_the_machine_counts() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read_battery(dir.path()), None);
        supply(dir.path(), "AC", &[("type", "Mains"), ("online", "1")]);
        supply(dir.path(), "BAT0", &[("type", "Battery"), ("capacity", "80"), ("status", "Discharging")]);
        supply(dir.path(), "BAT1", &[("type", "Battery"), ("capacity", "35"), ("status", "Charging")]);
        let mouse = [("type", "Battery"), ("scope", "Device"), ("capacity", "5"), ("status", "Discharging")];
        supply(dir.path(), "hid-mouse", &mouse);
        supply(dir.path(), "BAT2", &[("type", "Battery"), ("capacity", "what")]);
        assert_eq!(read_battery(dir.path()), Some(Battery { percent: 35, discharging: false }));
    }

    #[test]
    fn a_clock_source_is_told_only_when_its_traces_are_there() {
        let run = tempfile::tempdir().unwrap();
        assert_eq!(find_clock_source(run.path()), ClockSource::Unknown);
        fs::create_dir_all(run.path().join("systemd/timesync")).unwrap();
        assert_eq!(find_clock_source(run.path()), ClockSource::Timesyncd);
        fs::create_dir(run.path().join("chrony")).unwrap();
        fs::write(run.path().join("chrony/chronyd.pid"), "1").unwrap();
        assert_eq!(find_clock_source(run.path()), ClockSource::Chrony);
    }
}
