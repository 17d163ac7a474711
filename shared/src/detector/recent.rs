//! A line's recent past in 150 bytes: which probes were lost, in the order in which they were *sent*.
//!
//! Results do not come in that order: a loss is known only after its timeout, when later probes may long
//! have been answered. So a result is put in its place among the newest [`DEPTH`] ones. What falls out at
//! the old end of those is final and goes into the list of bursts.

use super::evidence::{Burst, MAX_BURSTS};
use crate::time::{MonoMs, UnixMs};

/// Probes remembered as lost or answered.
pub const WINDOW: usize = 64;
/// Probes among them whose sending time is remembered: how far out of order results may come.
pub const DEPTH: usize = 16;

/// The last [`WINDOW`] judged probes, newest first.
#[derive(Clone, Copy, Debug)]
pub struct Recent {
    /// Bit `i` is set when the `i`-th newest probe was lost.
    bits: u64,
    /// Sending times of the newest ones: the low 32 bits of the monotonic milliseconds.
    monos: [u32; DEPTH],
    len: u8,
}

/// What an insertion did.
#[derive(Clone, Copy, Debug)]
pub struct Inserted {
    /// Its place, 0 being the newest; [`DEPTH`] when it is older than all remembered times.
    pub place: usize,
    /// The probe that is now final, as its monotonic time and whether it was lost.
    pub settled: Option<(MonoMs, bool)>,
}

impl Recent {
    pub const EMPTY: Self = Self { bits: 0, monos: [0; DEPTH], len: 0 };

    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether the `place`-th newest probe was lost.
    pub const fn is_lost(&self, place: usize) -> bool {
        self.bits >> place & 1 == 1
    }

    /// Lost ones among the newest `of`.
    pub fn lost_of(&self, of: usize) -> u32 {
        (self.bits & mask(of.min(self.len()))).count_ones()
    }

    /// The newest run: `(lost, how many)`; none when empty. Saturates at [`WINDOW`].
    pub fn head(&self) -> Option<(bool, usize)> {
        if self.len == 0 {
            return None;
        }
        let lost = self.is_lost(0);
        let run = if lost { self.bits.trailing_ones() } else { self.bits.trailing_zeros() };
        Some((lost, (run as usize).min(self.len())))
    }

    /// The sending time of the `place`-th newest probe (`place < DEPTH`), near `near`.
    pub fn mono_at(&self, place: usize, near: MonoMs) -> MonoMs {
        MonoMs(near.0 + i64::from(self.behind(place, near)))
    }

    fn behind(&self, place: usize, mono: MonoMs) -> i32 {
        (self.monos[place].wrapping_sub(mono.0 as u32)) as i32
    }

    /// Puts a judged probe in its place.
    pub fn insert(&mut self, mono: MonoMs, lost: bool) -> Inserted {
        let known = self.len().min(DEPTH);
        let place = (0..known).find(|&p| self.behind(p, mono) <= 0).unwrap_or(known);
        let mut settled = None;
        if place == DEPTH {
            settled = Some((mono, lost));
        } else {
            if known == DEPTH {
                settled = Some((self.mono_at(DEPTH - 1, mono), self.is_lost(DEPTH - 1)));
            }
            self.monos.copy_within(place..DEPTH - 1, place + 1);
            self.monos[place] = mono.0 as u32;
        }
        let newer = self.bits & mask(place);
        let older = self.bits & !mask(place);
        self.bits = older << 1 | u64::from(lost) << place | newer;
        self.len = (self.len + 1).min(WINDOW as u8);
        Inserted { place, settled }
    }

    /// Forgets all but the newest `keep`.
    pub fn truncate(&mut self, keep: usize) {
        if keep < self.len() {
            self.len = keep as u8;
            self.bits &= mask(keep);
        }
    }

    /// Whether a probe sent within `from..=to` was answered.
    pub fn answered_between(&self, from: MonoMs, to: MonoMs) -> bool {
        self.known(from).any(|(mono, lost)| !lost && mono >= from && mono <= to)
    }

    /// How many probes sent at `from` or later were lost.
    pub fn lost_since(&self, from: MonoMs) -> usize {
        self.known(from).filter(|&(mono, lost)| lost && mono >= from).count()
    }

    /// The probes whose time is remembered, newest first.
    pub fn known(&self, near: MonoMs) -> impl DoubleEndedIterator<Item = (MonoMs, bool)> + '_ {
        (0..self.len().min(DEPTH)).map(move |p| (self.mono_at(p, near), self.is_lost(p)))
    }

    /// Oldest first: `.` answered, `x` lost.
    pub fn to_text(self) -> String {
        (0..self.len()).rev().map(|p| if self.is_lost(p) { 'x' } else { '.' }).collect()
    }

    /// The longest run of losses.
    pub fn longest_run(&self) -> u32 {
        let mut bits = self.bits & mask(self.len());
        let mut longest = 0;
        while bits != 0 {
            bits &= bits << 1;
            longest += 1;
        }
        longest
    }
}

const fn mask(count: usize) -> u64 {
    if count >= WINDOW { u64::MAX } else { (1 << count) - 1 }
}

/// The latest runs of losses among settled probes.
#[derive(Clone, Copy, Debug)]
pub struct Bursts {
    /// Oldest first; times are monotonic here.
    runs: [Run; MAX_BURSTS],
    len: u8,
    open: bool,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    started: MonoMs,
    lost: u32,
    span_ms: u32,
}

impl Bursts {
    pub const EMPTY: Self =
        Self { runs: [Run { started: MonoMs(0), lost: 0, span_ms: 0 }; MAX_BURSTS], len: 0, open: false };

    /// The next probe in order of sending.
    pub fn feed(&mut self, mono: MonoMs, lost: bool) {
        if lost && !self.open {
            self.open = true;
            if self.len as usize == MAX_BURSTS {
                self.runs.copy_within(1.., 0);
                self.len -= 1;
            }
            self.runs[self.len as usize] = Run { started: mono, lost: 1, span_ms: 0 };
            self.len += 1;
        } else if self.open {
            let run = &mut self.runs[self.len as usize - 1];
            run.lost = run.lost.saturating_add(u32::from(lost));
            run.span_ms = u32::try_from(mono.0 - run.started.0).unwrap_or(0).max(run.span_ms);
            self.open = lost;
        }
    }

    /// The runs, oldest first; `offset_ms` is wall minus monotonic time.
    pub fn to_vec(self, offset_ms: i64) -> Vec<Burst> {
        let runs = self.runs.iter().take(self.len as usize);
        runs.map(|r| Burst {
            started_at: UnixMs(r.started.0.saturating_add(offset_ms)),
            lost: r.lost,
            span_ms: r.span_ms,
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled(text: &str) -> Recent {
        let mut recent = Recent::EMPTY;
        for (i, c) in text.chars().enumerate() {
            recent.insert(MonoMs(1_000 * i as i64), c == 'x');
        }
        recent
    }

    #[test]
    fn a_loss_learnt_late_takes_its_place() {
        let mut recent = filled("..xx.");
        let inserted = recent.insert(MonoMs(3_500), true);
        assert_eq!(inserted.place, 1);
        assert_eq!(recent.to_text(), "..xxx.");
        assert_eq!(recent.longest_run(), 3);
        assert_eq!(recent.head(), Some((false, 1)));
    }

    #[test]
    fn bursts_keep_count_span_and_order() {
        let mut bursts = Bursts::EMPTY;
        for (i, c) in ".x..xxx.xx".chars().enumerate() {
            bursts.feed(MonoMs(100 * i as i64), c == 'x');
        }
        let found: Vec<_> = bursts.to_vec(0).iter().map(|b| (b.started_at.0, b.lost, b.span_ms)).collect();
        assert_eq!(found, [(100, 1, 100), (400, 3, 300), (800, 2, 100)]);
    }

    proptest! {
        #[test]
        fn order_of_arrival_does_not_matter_within_the_depth(
            lost in prop::collection::vec(any::<bool>(), 1..DEPTH),
            keys in prop::collection::vec(any::<u32>(), DEPTH),
            start in any::<u32>(),
        ) {
            let mut arrival: Vec<usize> = (0..lost.len()).collect();
            arrival.sort_by_key(|&i| keys[i]);
            let mono = |i: usize| MonoMs(i64::from(start) + 250 * i as i64);
            let mut recent = Recent::EMPTY;
            for i in arrival {
                recent.insert(mono(i), lost[i]);
            }
            let text: String = lost.iter().map(|&l| if l { 'x' } else { '.' }).collect();
            prop_assert_eq!(recent.to_text(), text);
        }

        #[test]
        fn the_window_holds_the_newest(lost in prop::collection::vec(any::<bool>(), 0..200)) {
            let mut recent = Recent::EMPTY;
            for (i, &l) in lost.iter().enumerate() {
                recent.insert(MonoMs(i as i64), l);
            }
            let from = lost.len().saturating_sub(WINDOW);
            let text: String = lost[from..].iter().map(|&l| if l { 'x' } else { '.' }).collect();
            prop_assert_eq!(recent.to_text(), text);
        }
    }
}
