//! How an agent's own machine fares, and when that deserves a warning: a laptop that is about to fail
//! takes its unsent facts with it.

use serde::{Deserialize, Serialize};

/// A disk below this share is a warning …
pub const DISK_LOW_PERCENT: u64 = 10;
/// … and so is one with less than this left.
pub const DISK_LOW_BYTES: u64 = 500_000_000;
/// A battery below this is a warning while it is not being charged.
pub const BATTERY_LOW_PERCENT: u8 = 20;
/// Memory below this share is a warning.
pub const MEMORY_LOW_PERCENT: u64 = 5;

/// A reading of the agent's machine. What could not be read is absent or `unknown`, never a guess.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    /// Room left for the agent on the file system of its data directory.
    pub disk_free_bytes: Option<u64>,
    /// Size of that file system.
    pub disk_total_bytes: Option<u64>,
    /// Memory that programs can still get.
    pub memory_available_bytes: Option<u64>,
    /// All memory.
    pub memory_total_bytes: Option<u64>,
    /// Memory of the agent's own process that is in RAM.
    pub own_memory_bytes: Option<u64>,
    /// The battery; absent on a machine without one.
    pub battery: Option<Battery>,
    /// Where the clock gets its time.
    pub clock_source: ClockSource,
    /// Whether the kernel says that the clock is kept right.
    pub clock: ClockState,
    /// Load average over one minute, in thousandths.
    pub load_1m_milli: Option<u32>,
    /// How long the machine has been up.
    pub uptime_s: Option<u64>,
    /// By how much longer than agreed the times between probes are, while the machine runs on its battery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slowed_by: Option<u32>,
}

/// The battery of a laptop; of several the emptiest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Battery {
    /// Charge, 0 to 100.
    pub percent: u8,
    /// The machine runs on it: it is being emptied.
    pub discharging: bool,
}

/// Which program keeps the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockSource {
    /// chrony.
    Chrony,
    /// systemd-timesyncd.
    Timesyncd,
    /// ntpd or `NTPsec`.
    Ntpd,
    /// None of those was found: another one, the host of a virtual machine, or none.
    #[default]
    Unknown,
}

/// Whether the clock is kept right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockState {
    /// The kernel's clock is disciplined.
    Synchronised,
    /// It is not.
    Unsynchronised,
    /// It could not be asked.
    #[default]
    Unknown,
}

/// What the NOC should know about an agent's machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthWarning {
    /// Less than [`DISK_LOW_PERCENT`] or [`DISK_LOW_BYTES`] left.
    DiskLow,
    /// On battery, below [`BATTERY_LOW_PERCENT`].
    BatteryLow,
    /// Less than [`MEMORY_LOW_PERCENT`] available.
    MemoryLow,
    /// The clock is not kept right: times of this agent need its clock facts.
    ClockUnsynchronised,
    /// On battery: its lines are probed less often than agreed.
    ProbesSlowed,
}

impl Health {
    /// Whether the machine runs on its battery.
    #[must_use]
    pub fn is_on_battery(&self) -> bool {
        self.battery.is_some_and(|battery| battery.discharging)
    }

    /// The warnings that these figures deserve, in a fixed order. What is not known warns of nothing.
    #[must_use]
    pub fn warnings(&self) -> Vec<HealthWarning> {
        let below = |left: Option<u64>, total: Option<u64>, percent: u64| {
            let share = left.zip(total).filter(|&(_, total)| total > 0);
            share
                .is_some_and(|(left, total)| u128::from(left) * 100 < u128::from(total) * u128::from(percent))
        };
        let disk_low = below(self.disk_free_bytes, self.disk_total_bytes, DISK_LOW_PERCENT)
            || self.disk_free_bytes.is_some_and(|free| free < DISK_LOW_BYTES);
        let battery_low = self.battery.is_some_and(|b| b.discharging && b.percent < BATTERY_LOW_PERCENT);
        let memory_low = below(self.memory_available_bytes, self.memory_total_bytes, MEMORY_LOW_PERCENT);
        [
            (disk_low, HealthWarning::DiskLow),
            (battery_low, HealthWarning::BatteryLow),
            (memory_low, HealthWarning::MemoryLow),
            (self.clock == ClockState::Unsynchronised, HealthWarning::ClockUnsynchronised),
            (self.slowed_by.is_some(), HealthWarning::ProbesSlowed),
        ]
        .into_iter()
        .filter_map(|(is_so, warning)| is_so.then_some(warning))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn well() -> Health {
        Health {
            disk_free_bytes: Some(50_000_000_000),
            disk_total_bytes: Some(100_000_000_000),
            memory_available_bytes: Some(8_000_000_000),
            memory_total_bytes: Some(16_000_000_000),
            battery: Some(Battery { percent: 80, discharging: true }),
            clock: ClockState::Synchronised,
            ..Health::default()
        }
    }

    #[test]
    fn a_machine_that_is_well_or_unknown_warns_of_nothing() {
        assert_eq!(well().warnings(), []);
        assert_eq!(Health::default().warnings(), []);
    }

    #[test]
    fn each_threshold_warns_below_and_not_at_it() {
        use HealthWarning::{BatteryLow, ClockUnsynchronised, DiskLow, MemoryLow, ProbesSlowed};
        let battery = |percent, discharging| Some(Battery { percent, discharging });
        let cases: [(Health, &[HealthWarning]); 10] = [
            (Health { disk_free_bytes: Some(10_000_000_000), ..well() }, &[]),
            (Health { disk_free_bytes: Some(9_999_999_999), ..well() }, &[DiskLow]),
            (
                Health {
                    disk_free_bytes: Some(DISK_LOW_BYTES - 1),
                    disk_total_bytes: Some(1_000_000_000),
                    ..well()
                },
                &[DiskLow],
            ),
            (Health { battery: battery(20, true), ..well() }, &[]),
            (Health { battery: battery(19, true), ..well() }, &[BatteryLow]),
            (Health { battery: battery(19, false), ..well() }, &[]),
            (Health { memory_available_bytes: Some(799_999_999), ..well() }, &[MemoryLow]),
            (Health { memory_available_bytes: Some(800_000_000), ..well() }, &[]),
            (Health { clock: ClockState::Unsynchronised, ..well() }, &[ClockUnsynchronised]),
            (Health { slowed_by: Some(5), ..well() }, &[ProbesSlowed]),
        ];
        for (health, expected) in cases {
            assert_eq!(health.warnings(), expected, "{health:?}");
        }
    }

    #[test]
    fn a_reading_with_fewer_fields_is_read() {
        let health: Health = serde_json::from_str(r#"{"disk_free_bytes": 5}"#).unwrap();
        assert_eq!(health, Health { disk_free_bytes: Some(5), ..Health::default() });
    }
}
