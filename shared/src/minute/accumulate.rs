//! Samples in, blocks out: fixed memory for each line and minute.

use super::{LineMinute, MAX_LINES, MinuteBlock, RttSummary};
use crate::sample::{Late, Outcome, Sample};
use crate::time::{MINUTE_MS, UnixMs};

/// How long after its end a minute is closed: by then its last probes have timed out.
pub const GRACE_MS: i64 = 15_000;
/// Minutes open at the same time at most; a further one closes the oldest.
pub const MAX_OPEN_MINUTES: usize = 3;

/// Sums samples up by minute of sending.
///
/// When the wall clock is set back, a minute may be opened again: its second block adds to the first.
#[derive(Clone, Debug, Default)]
pub struct MinuteAccumulator {
    /// Oldest first.
    open: Vec<Minute>,
    /// Sums of closed minutes, to be used again.
    spare: Vec<Vec<Sums>>,
}

#[derive(Clone, Debug)]
struct Minute {
    /// Minutes since 1970.
    number: i64,
    /// By target number.
    sums: Vec<Sums>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    answered: u32,
    lost: u32,
    late: u32,
    not_sent: u32,
    run: u32,
    longest_run: u32,
    min_us: u32,
    max_us: u32,
    last_us: u32,
    sum_us: u64,
    difference_us: u64,
}

impl MinuteAccumulator {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a sample. Samples of one target come in the order of sending.
    ///
    /// Returns false when the sample belongs to a minute before all open ones while no further minute can be
    /// opened, or its target number is not below [`MAX_LINES`]; it is not counted then.
    pub fn add(&mut self, sample: &Sample) -> bool {
        let number = sample.sent_at.0.div_euclid(MINUTE_MS);
        let Some(sums) = self.sums(number, sample.target) else {
            return false;
        };
        match sample.outcome {
            Outcome::Answered { rtt_us } => sums.answer(rtt_us),
            Outcome::Lost(_) => {
                sums.lost += 1;
                sums.run += 1;
                sums.longest_run = sums.longest_run.max(sums.run);
            }
            Outcome::NotSent(_) => sums.not_sent += 1,
        }
        true
    }

    /// Counts a late answer, in the minute of its probe or, when that is closed, in the oldest open one.
    pub fn add_late(&mut self, late: &Late) {
        let number = late.sent_at.0.div_euclid(MINUTE_MS);
        let oldest = self.open.first().map_or(number, |minute| minute.number);
        if let Some(sums) = self.sums(number.max(oldest), late.target) {
            sums.late += 1;
        }
    }

    fn sums(&mut self, number: i64, target: u32) -> Option<&mut Sums> {
        let target = target as usize;
        if target >= MAX_LINES {
            return None;
        }
        let at = match self.open.binary_search_by_key(&number, |minute| minute.number) {
            Ok(at) => at,
            Err(_) if self.open.len() >= MAX_OPEN_MINUTES => return None,
            Err(at) => {
                let sums = self.spare.pop().unwrap_or_default();
                self.open.insert(at, Minute { number, sums });
                at
            }
        };
        let sums = &mut self.open[at].sums;
        if sums.len() <= target {
            sums.resize(target + 1, Sums::default());
        }
        sums.get_mut(target)
    }

    /// Closes the oldest minute that is over, and gives its block. Call until it gives none. `code` names a
    /// target; targets without a name (anchors) are left out.
    pub fn cut<'a>(&mut self, now: UnixMs, code: impl Fn(u32) -> Option<&'a str>) -> Option<MinuteBlock> {
        let is_over = |minute: &Minute| {
            let end = (minute.number + 1) * MINUTE_MS;
            // A minute that has not begun was left behind by a clock that was set back.
            now.0 >= end + GRACE_MS || now.0 < end - 2 * MINUTE_MS
        };
        while let Some(at) = self.open.iter().position(is_over) {
            let closed = self.close(at, &code);
            if closed.is_some() {
                return closed;
            }
        }
        None
    }

    /// Closes the oldest open minute although it is not over: the program ends.
    pub fn finish<'a>(&mut self, code: impl Fn(u32) -> Option<&'a str>) -> Option<MinuteBlock> {
        while !self.open.is_empty() {
            let closed = self.close(0, &code);
            if closed.is_some() {
                return closed;
            }
        }
        None
    }

    fn close<'a>(&mut self, at: usize, code: &impl Fn(u32) -> Option<&'a str>) -> Option<MinuteBlock> {
        let Minute { number, mut sums } = self.open.remove(at);
        let lines: Vec<LineMinute> = sums
            .iter()
            .enumerate()
            .filter(|(_, sums)| sums.is_used())
            .filter_map(|(target, sums)| code(target as u32).map(|code| sums.to_line(code)))
            .collect();
        sums.clear();
        self.spare.push(sums);
        self.spare.truncate(MAX_OPEN_MINUTES);
        if lines.is_empty() {
            return None;
        }
        // The figures agree by construction; two targets of one code can't.
        MinuteBlock::new(UnixMs(number * MINUTE_MS), lines).ok()
    }
}

impl Sums {
    fn answer(&mut self, rtt_us: u32) {
        if self.answered == 0 {
            self.min_us = rtt_us;
        } else {
            self.difference_us += u64::from(rtt_us.abs_diff(self.last_us));
        }
        self.min_us = self.min_us.min(rtt_us);
        self.max_us = self.max_us.max(rtt_us);
        self.last_us = rtt_us;
        self.sum_us += u64::from(rtt_us);
        self.answered += 1;
        self.run = 0;
    }

    const fn is_used(&self) -> bool {
        self.answered > 0 || self.lost > 0 || self.late > 0 || self.not_sent > 0
    }

    fn to_line(self, code: &str) -> LineMinute {
        let mean = |sum: u64, count: u32| sum.checked_div(u64::from(count)).unwrap_or(0) as u32;
        LineMinute {
            line: code.to_owned(),
            sent: self.answered + self.lost,
            lost: self.lost,
            late: self.late,
            not_sent: self.not_sent,
            longest_run: self.longest_run,
            rtt: (self.answered > 0).then(|| RttSummary {
                min_us: self.min_us,
                avg_us: mean(self.sum_us, self.answered),
                max_us: self.max_us,
                jitter_us: mean(self.difference_us, self.answered - 1),
            }),
        }
    }
}
