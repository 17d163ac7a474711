//! What the proxy is handed: for each line and minute the same six figures that a block of ours holds.

use std::fmt::Write as _;

use linewatch_shared::minute::LineMinute;
use linewatch_shared::time::{MINUTE_MS, UnixMs};

use super::tables::{host, item_id};
use crate::backlog::Lines;

/// The items of a line, in the order of [`six`].
pub const ITEMS: [&str; 6] = ["sent", "lost", "rtt.min", "rtt.avg", "rtt.max", "jitter"];
/// What `zabbix_sender` puts into one request.
const IN_A_REQUEST: usize = 250;
/// Values of the last minute that are looked for, one by one.
const MARKS: usize = 20;

/// Values of some lines over some minutes, minute after minute.
#[derive(Clone, Debug)]
pub struct Values {
    lines: usize,
    first: UnixMs,
    figures: Vec<[u32; ITEMS.len()]>,
}

impl Values {
    /// Those of so many minutes from `first` on, which is the beginning of one.
    #[must_use]
    pub fn new(lines: &mut Lines, first: UnixMs, minutes: usize) -> Self {
        let figures = (0..minutes).flat_map(|_| lines.minute()).map(|minute| six(&minute)).collect();
        Self { lines: lines.count(), first, figures }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        (self.figures.len() * ITEMS.len()) as u64
    }

    /// The seconds from which and before which they are dated.
    pub(super) fn clocks(&self) -> [i64; 2] {
        let minutes = self.figures.len().div_ceil(self.lines.max(1));
        [self.first, self.first + minutes as i64 * MINUTE_MS].map(|at| at.0 / 1_000)
    }

    /// Item and second of some of them: the first, then of the last minute's one after the other. Each item's come in
    /// order, so that few others can be missing once these are there.
    pub(super) fn marks(&self) -> Vec<(usize, i64)> {
        let (all, minute) = (self.count() as usize, self.lines * ITEMS.len());
        let last = (1..=MARKS).map(|n| (all + minute * n / MARKS).saturating_sub(minute + 1));
        let marks = std::iter::once(0).chain(last).map(|n| {
            let (line, item, clock) = self.place(n);
            (item_id(line, item), clock)
        });
        marks.collect()
    }

    /// Line, item and second of the `n`th one.
    fn place(&self, n: usize) -> (usize, usize, i64) {
        let (row, item) = (n / ITEMS.len(), n % ITEMS.len());
        let at = self.first + (row / self.lines) as i64 * MINUTE_MS;
        (row % self.lines, item, at.0 / 1_000)
    }

    /// The `n`th request, as `zabbix_sender` makes them; none behind the last.
    pub(super) fn request(&self, n: usize) -> Option<String> {
        let all = self.count() as usize;
        let range = n * IN_A_REQUEST..all.min((n + 1) * IN_A_REQUEST);
        if range.is_empty() {
            return None;
        }
        let mut text = "{\"request\":\"sender data\",\"data\":[".to_owned();
        for n in range.clone() {
            let (line, item, clock) = self.place(n);
            let comma = if n == range.start { "" } else { "," };
            let value = self.figures[n / ITEMS.len()][item];
            let (host, key) = (host(line), ITEMS[item]);
            // Writing to a text cannot fail.
            let _ = write!(
                text,
                "{comma}{{\"host\":\"{host}\",\"key\":\"{key}\",\"value\":\"{value}\",\"clock\":{clock},\"ns\":0}}"
            );
        }
        text.push_str("]}");
        Some(text)
    }
}

fn six(minute: &LineMinute) -> [u32; ITEMS.len()] {
    let rtt = minute.rtt.map_or([0; 4], |rtt| [rtt.min_us, rtt.avg_us, rtt.max_us, rtt.jitter_us]);
    [minute.sent, minute.lost, rtt[0], rtt[1], rtt[2], rtt[3]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_one_request_and_has_a_second_of_its_own() {
        let values = Values::new(&mut Lines::draw(100), UnixMs(60_000_000), 3);
        assert_eq!(values.count(), 1_800);
        let requests: Vec<String> = (0..).map_while(|n| values.request(n)).collect();
        assert_eq!(requests.len(), 8);
        let mut all = std::collections::BTreeSet::new();
        for request in requests {
            let request: serde_json::Value = serde_json::from_str(&request).unwrap();
            for value in request["data"].as_array().unwrap() {
                all.insert(["host", "key", "clock"].map(|part| value[part].to_string()));
            }
        }
        assert_eq!(all.len(), 1_800);
        assert_eq!(values.clocks(), [60_000, 60_180]);
        let marks = values.marks();
        assert_eq!([marks[0], marks[MARKS]], [(item_id(0, 0), 60_000), (item_id(99, 5), 60_120)]);
        assert!(marks[1..].iter().all(|(_, clock)| *clock == 60_120));
    }
}
