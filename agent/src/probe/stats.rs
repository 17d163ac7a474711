//! What the prober counts about itself.

use linewatch_shared::sample::{NotSentCause, Outcome};

const MINUTE_MS: i64 = 60_000;
const NS_PER_US: i64 = 1_000;

/// How late probes were sent against their turns, over one minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lateness {
    /// The latest, in microseconds.
    pub max_us: u64,
    /// The mean, in microseconds.
    pub mean_us: u64,
    /// How many turns this speaks of.
    pub turns: u64,
}

/// Probes that were not sent, by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotSentCounts {
    /// No carrier, or no address.
    pub no_carrier: u64,
    /// No route, or a name that does not resolve.
    pub no_route: u64,
    /// The socket's buffer was full.
    pub buffer_full: u64,
    /// Refused by the kernel.
    pub refused: u64,
    /// Skipped because the prober was behind.
    pub overrun: u64,
}

impl NotSentCounts {
    /// All causes together.
    pub const fn total(&self) -> u64 {
        self.no_carrier + self.no_route + self.buffer_full + self.refused + self.overrun
    }

    /// These and `other` together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            no_carrier: self.no_carrier + other.no_carrier,
            no_route: self.no_route + other.no_route,
            buffer_full: self.buffer_full + other.buffer_full,
            refused: self.refused + other.refused,
            overrun: self.overrun + other.overrun,
        }
    }

    fn of(&mut self, cause: NotSentCause) -> &mut u64 {
        match cause {
            NotSentCause::NoCarrier => &mut self.no_carrier,
            NotSentCause::NoRoute => &mut self.no_route,
            NotSentCause::BufferFull => &mut self.buffer_full,
            NotSentCause::Refused => &mut self.refused,
            NotSentCause::Overrun => &mut self.overrun,
        }
    }
}

/// Running counts since start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Probes that left this machine.
    pub sent: u64,
    /// Probes answered in time.
    pub received: u64,
    /// Probes lost.
    pub lost: u64,
    /// Answers after their probe had been counted as lost.
    pub late: u64,
    /// Second answers, ignored.
    pub duplicates: u64,
    /// Packets that were not answers to us, ignored.
    pub foreign: u64,
    /// System calls with which ICMP packets went and came.
    pub calls: u64,
    /// Probes not sent.
    pub not_sent: NotSentCounts,
    /// Lateness of sending.
    pub lateness: LatenessMeter,
}

impl Counts {
    pub(super) fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Answered { .. } => {}
            Outcome::Lost(_) => self.lost += 1,
            Outcome::NotSent(cause) => *self.not_sent.of(cause) += 1,
        }
    }

    pub(super) fn count_overruns(&mut self, turns: i64) {
        self.not_sent.overrun += turns.unsigned_abs();
    }
}

/// Collects lateness minute by minute.
#[derive(Clone, Copy, Debug, Default)]
pub struct LatenessMeter {
    minute: i64,
    max_ns: i64,
    sum_ns: i64,
    turns: u64,
    last: Option<Lateness>,
}

impl LatenessMeter {
    /// Notes a turn taken `late_ns` after its time at `now_ms`.
    pub(super) fn add(&mut self, late_ns: i64, now_ms: i64) {
        let minute = now_ms / MINUTE_MS;
        if minute != self.minute {
            let last = (self.turns > 0).then(|| self.current());
            *self = Self { minute, last, ..Self::default() };
        }
        let late_ns = late_ns.max(0);
        self.max_ns = self.max_ns.max(late_ns);
        self.sum_ns += late_ns;
        self.turns += 1;
    }

    /// The last whole minute, or the current one when there is none.
    pub fn latest(&self) -> Lateness {
        self.last.unwrap_or_else(|| self.current())
    }

    fn current(&self) -> Lateness {
        let mean_ns = self.sum_ns / (self.turns.max(1) as i64);
        Lateness {
            max_us: (self.max_ns / NS_PER_US).unsigned_abs(),
            mean_us: (mean_ns / NS_PER_US).unsigned_abs(),
            turns: self.turns,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lateness_is_that_of_the_last_whole_minute() {
        let mut meter = LatenessMeter::default();
        meter.add(2_000, 10);
        meter.add(4_000, 20);
        assert_eq!(meter.latest(), Lateness { max_us: 4, mean_us: 3, turns: 2 });
        meter.add(9_000_000, MINUTE_MS + 5);
        assert_eq!(meter.latest().max_us, 4, "the running minute is not told while there is a whole one");
        meter.add(1_000, 2 * MINUTE_MS + 5);
        assert_eq!(meter.latest(), Lateness { max_us: 9_000, mean_us: 9_000, turns: 1 });
    }
}
