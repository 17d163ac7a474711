//! The device's own cable, and what goes over it: read from the kernel, nothing is sent.

use std::fs;
use std::time::Duration;

use linewatch_shared::facts::{Finding, Grade};

use super::finding;

/// Between the readings of what goes over the interface.
const SPAN: Duration = Duration::from_secs(2);
/// From this share of the speed on, in percent, the interface counts as full.
const FULL_PERCENT: u64 = 80;

fn read(ifname: &str, name: &str) -> Option<String> {
    // Names of interfaces come from the kernel; one with a slash is none.
    if ifname.contains(['/', '\0']) {
        return None;
    }
    let text = fs::read_to_string(format!("/sys/class/net/{ifname}/{name}")).ok()?;
    Some(text.trim().to_owned())
}

fn number(ifname: &str, name: &str) -> Option<u64> {
    read(ifname, name)?.parse().ok()
}

/// What has gone over an interface.
#[derive(Clone, Copy, Debug)]
pub struct Counters {
    rx_bytes: u64,
    tx_bytes: u64,
    errors: u64,
}

impl Counters {
    /// As the kernel counts now.
    pub fn read(ifname: &str) -> Option<Self> {
        let count = |name: &str| number(ifname, &format!("statistics/{name}"));
        let errors = count("rx_errors")? + count("tx_errors")?;
        Some(Self { rx_bytes: count("rx_bytes")?, tx_bytes: count("tx_bytes")?, errors })
    }
}

/// Whether the cable is in, and at which speed.
pub fn check(ifname: Option<&str>) -> Finding {
    let Some(ifname) = ifname else { return finding("link", Grade::Fail, "no_route", []) };
    let name = ("interface", ifname.to_owned());
    if ifname == "lo" {
        return finding("link", Grade::Ok, "own", [name]);
    }
    if read(ifname, "carrier").as_deref() != Some("1") {
        return finding("link", Grade::Fail, "no_carrier", [name]);
    }
    let speed = number(ifname, "speed").filter(|speed| *speed > 0 && *speed < 1_000_000);
    let speed = ("speed_mbit_s", speed.map_or_else(|| "?".to_owned(), |speed| speed.to_string()));
    if read(ifname, "duplex").as_deref() == Some("half") {
        return finding("link", Grade::Warn, "half_duplex", [name, speed]);
    }
    finding("link", Grade::Ok, "up", [name, speed])
}

/// How much goes over the interface now.
pub async fn throughput(ifname: Option<&str>, before: Option<Counters>) -> Finding {
    let check = "throughput";
    let (Some(ifname), Some(first)) = (ifname, before) else {
        return finding(check, Grade::Unknown, "no_interface", []);
    };
    let Some(start) = Counters::read(ifname) else {
        return finding(check, Grade::Unknown, "no_interface", []);
    };
    tokio::time::sleep(SPAN).await;
    let Some(end) = Counters::read(ifname) else { return finding(check, Grade::Unknown, "no_interface", []) };
    let kbit_s = |from: u64, to: u64| to.saturating_sub(from) * 8 / SPAN.as_millis() as u64;
    let (rx, tx) = (kbit_s(start.rx_bytes, end.rx_bytes), kbit_s(start.tx_bytes, end.tx_bytes));
    let errors = end.errors.saturating_sub(first.errors);
    let speed = number(ifname, "speed").filter(|speed| *speed > 0 && *speed < 1_000_000);
    let is_full = speed.is_some_and(|speed| rx.max(tx) * 100 / (speed * 1_000) >= FULL_PERCENT);
    let (grade, code) = match (errors, is_full) {
        (1.., _) => (Grade::Warn, "errors"),
        (0, true) => (Grade::Warn, "full"),
        (0, false) => (Grade::Ok, "flows"),
    };
    let figures =
        [("rx_kbit_s", rx.to_string()), ("tx_kbit_s", tx.to_string()), ("errors", errors.to_string())];
    finding(check, grade, code, figures)
}
