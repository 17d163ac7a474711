//! One line: its runs of losses and answers, and whether they are long enough.

use super::config::DetectorConfig;
use super::evidence::{Confirmation, Evidence, LineState, LineStatus, Moment, UnknownCause};
use super::quality::{Quality, Smoothed};
use super::recent::{Bursts, Recent};
use crate::sample::NotSentCause;
use crate::time::{MonoMs, UnixMs};

const NO_RTT: u32 = u32::MAX;
const NEVER: MonoMs = MonoMs(i64::MAX);
const LONG_AGO: MonoMs = MonoMs(i64::MIN);

/// How a line is asked and what it depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineSpec {
    /// Its ordinary interval.
    pub interval_ms: u32,
    /// The agent's interface by which its probes leave, `0..MAX_UPLINKS`.
    pub uplink: u8,
    /// No gateway lies between: a neighbour on the same link, or a loopback address. Such a line is judged
    /// without asking gateway, anchors or siblings.
    pub on_link: bool,
    /// What its contract allows.
    pub quality: Quality,
}

/// A run of losses that reaches to the newest probe.
#[derive(Clone, Copy, Debug)]
pub struct LossRun {
    /// The first lost probe.
    pub first: Moment,
    /// When the newest lost one was sent.
    pub last: MonoMs,
}

/// All that is kept of a line.
#[derive(Clone, Debug)]
pub struct Line {
    pub target: u32,
    pub spec: LineSpec,
    pub state: LineState,
    pub cause: UnknownCause,
    pub degraded: bool,
    pub fast: bool,
    pub not_sent: Option<NotSentCause>,
    not_sent_mono: MonoMs,
    /// The first probe of the newest run.
    head: Moment,
    /// The newest judged probe; before the first one, the start.
    pub last: Moment,
    /// Nothing sent before this counts.
    from: MonoMs,
    pub since_at: UnixMs,
    /// Until when confirmation is waited for; `NEVER` when it is not.
    confirm_by: MonoMs,
    last_rtt_us: u32,
    smoothed: Smoothed,
    recent: Recent,
    bursts: Bursts,
}

// 10,000 lines fit into 2.7 MB.
const _: () = assert!(size_of::<Line>() <= 272);

impl Line {
    pub fn new(target: u32, spec: LineSpec, now: Moment) -> Self {
        Self {
            target,
            spec,
            state: LineState::Unknown,
            cause: UnknownCause::Starting,
            degraded: false,
            fast: false,
            not_sent: None,
            not_sent_mono: LONG_AGO,
            head: now,
            last: now,
            from: LONG_AGO,
            since_at: now.at,
            confirm_by: NEVER,
            last_rtt_us: NO_RTT,
            smoothed: Smoothed::NONE,
            recent: Recent::EMPTY,
            bursts: Bursts::EMPTY,
        }
    }

    /// Takes a probe that was not sent: it says nothing about the line, only why nothing is known.
    pub fn note_not_sent(&mut self, mono: MonoMs, cause: NotSentCause) {
        if mono >= self.not_sent_mono {
            self.not_sent = Some(cause);
            self.not_sent_mono = mono;
        }
    }

    /// Takes a judged probe. One that was sent before the last forgetting is left out.
    pub fn judge(&mut self, when: Moment, rtt_us: Option<u32>) {
        if when.mono < self.from {
            return;
        }
        let lost = rtt_us.is_none();
        if let Some(rtt_us) = rtt_us {
            self.smoothed.take(rtt_us, self.last_rtt_us());
        }
        self.last_rtt_us = rtt_us.unwrap_or(self.last_rtt_us);
        let before = self.recent.head();
        let inserted = self.recent.insert(when.mono, lost);
        if let Some((mono, lost)) = inserted.settled {
            self.bursts.feed(mono, lost);
        }
        self.move_head(when, lost, inserted.place, before);
        if when.mono >= self.last.mono {
            self.last = when;
        }
        if when.mono > self.not_sent_mono {
            self.not_sent = None;
        }
    }

    /// Keeps `head` the first probe of the newest run after an insertion at `place`.
    fn move_head(&mut self, when: Moment, lost: bool, place: usize, before: Option<(bool, usize)>) {
        let Some((was_lost, run)) = before else {
            self.head = when;
            return;
        };
        if was_lost == lost {
            // It joins the run; at its old end it becomes the first.
            if place == run {
                self.head = when;
            }
        } else if place == 0 {
            self.head = when;
        } else if place < run {
            // It splits the run; what is newer than it remains.
            let mono = self.recent.mono_at(place - 1, when.mono);
            self.head = Moment { at: when.at + (mono.0 - when.mono.0), mono };
        }
    }

    /// The run of losses up to the newest probe, if the newest was lost.
    pub fn loss_run(&self) -> Option<LossRun> {
        let (lost, _) = self.recent.head()?;
        lost.then_some(LossRun { first: self.head, last: self.last.mono })
    }

    /// The first probe of the run of answers up to the newest one, if the newest was answered.
    pub fn answer_run(&self) -> Option<Moment> {
        let (lost, _) = self.recent.head()?;
        (!lost).then_some(self.head)
    }

    fn head_reaches(&self, lost: bool, count: u8, span_ms: u32) -> bool {
        self.recent.head().is_some_and(|(is_lost, run)| is_lost == lost && run >= usize::from(count))
            && self.last.mono.0 - self.head.mono.0 >= i64::from(span_ms)
    }

    /// Whether its losses are enough for going down.
    pub fn raise_reached(&self, config: &DetectorConfig) -> bool {
        let by_share = || {
            let of = usize::from(config.loss.of);
            config.loss.down_at.is_some_and(|k| self.recent.len() >= of && self.lost_of(of) >= u32::from(k))
        };
        self.head_reaches(true, config.raise_losses, config.raise_span_ms)
            || (self.loss_run().is_some() && by_share())
    }

    /// Whether its answers are enough for coming up.
    pub fn clear_reached(&self, config: &DetectorConfig) -> bool {
        self.head_reaches(false, config.clear_answers, config.clear_span_ms)
    }

    /// Whether enough was seen since the last forgetting for any verdict.
    pub fn window_full(&self, config: &DetectorConfig) -> bool {
        self.recent.len() >= usize::from(config.window)
    }

    fn lost_of(&self, of: usize) -> u32 {
        self.recent.lost_of(of)
    }

    /// The new value of `degraded`, if it changes now. Only an answer changes it, so that its time never
    /// falls into a run of losses that may yet become an outage.
    pub fn degraded_change(&self, config: &DetectorConfig) -> Option<bool> {
        let of = usize::from(config.loss.of);
        if self.state != LineState::Up || self.recent.len() < of || self.answer_run().is_none() {
            return None;
        }
        let lost = self.lost_of(of);
        let usual = (config.loss.degraded_at.into(), config.loss.clean_at.into());
        let (degraded_at, clean_at) = self.spec.quality.losses(config.loss.of).unwrap_or(usual);
        let by_loss = if self.degraded { lost > clean_at } else { lost >= degraded_at };
        let degraded = by_loss || self.smoothed.exceeds(&self.spec.quality, self.degraded);
        (degraded != self.degraded).then_some(degraded)
    }

    /// Whether faster probing would settle a doubt.
    pub fn wants_fast(&self, config: &DetectorConfig) -> bool {
        if config.fast_interval_ms(self.spec.interval_ms) >= self.spec.interval_ms {
            return false;
        }
        match self.state {
            LineState::Up | LineState::Degraded => self.loss_run().is_some(),
            LineState::Down => self.answer_run().is_some(),
            // The first window of a slow line would take minutes.
            LineState::Unknown => self.spec.interval_ms > 2_000 && !self.window_full(config),
        }
    }

    /// Whether nothing was judged for too long before `mono`.
    pub fn gap_before(&self, mono: MonoMs, config: &DetectorConfig) -> bool {
        mono.0 - self.last.mono.0 > config.gap_ms(self.spec.interval_ms)
    }

    /// What explains the absence of judged probes.
    pub fn gap_cause(&self) -> UnknownCause {
        match self.not_sent {
            Some(NotSentCause::NoCarrier | NotSentCause::NoRoute) => UnknownCause::OwnUplink,
            Some(_) => UnknownCause::NotSent,
            None => UnknownCause::NoSamples,
        }
    }

    /// Whether a probe could not leave for want of carrier or route since `mono`.
    pub fn cut_since(&self, mono: MonoMs) -> bool {
        self.not_sent_mono >= mono && self.gap_cause() == UnknownCause::OwnUplink
    }

    /// Starts a new window: what was sent before `from` no longer counts.
    pub fn forget(&mut self, from: MonoMs) {
        self.from = self.from.max(from);
        self.recent.truncate(0);
        self.bursts = Bursts::EMPTY;
        self.stop_waiting();
    }

    /// Starts to wait for confirmation. False when it waits already.
    pub fn wait_until(&mut self, deadline: MonoMs) -> bool {
        let begins = self.confirm_by == NEVER;
        if begins {
            self.confirm_by = deadline;
        }
        begins
    }

    pub fn stop_waiting(&mut self) {
        self.confirm_by = NEVER;
    }

    /// Until when it waits for confirmation.
    pub fn waits_until(&self) -> Option<MonoMs> {
        (self.confirm_by != NEVER).then_some(self.confirm_by)
    }

    /// Enters a state; call after the evidence was taken.
    pub fn enter(&mut self, state: LineState, cause: UnknownCause, occurred: Moment) {
        self.state = state;
        self.cause = cause;
        self.since_at = occurred.at;
        self.degraded = false;
        self.stop_waiting();
        match state {
            LineState::Up | LineState::Degraded => {
                // The outage's losses are not the losses of the line that is up again.
                let run = self.recent.head().map_or(0, |(_, run)| run);
                self.recent.truncate(run);
                self.bursts = Bursts::EMPTY;
                self.smoothed = Smoothed::NONE;
            }
            LineState::Down => {}
            LineState::Unknown => self.forget(self.last.mono.max(occurred.mono)),
        }
    }

    /// What is known now, for a change to `state`.
    pub fn evidence(&self, cause: Option<UnknownCause>, confirmations: Vec<Confirmation>) -> Evidence {
        let mut all = self.bursts;
        for (mono, lost) in self.recent.known(self.last.mono).rev() {
            all.feed(mono, lost);
        }
        let bursts = all.to_vec(self.last.at.0.saturating_sub(self.last.mono.0));
        let longest_run = bursts.iter().map(|b| b.lost).max().unwrap_or(0);
        Evidence {
            cause,
            degraded: self.degraded,
            sent: self.recent.len() as u32,
            lost: self.lost_of(super::recent::WINDOW),
            recent: self.recent.to_text(),
            longest_run: longest_run.max(self.recent.longest_run()),
            longest_run_ms: bursts.iter().map(|b| b.span_ms).max().unwrap_or(0),
            bursts,
            last_rtt_us: self.last_rtt_us(),
            confirmations,
        }
    }

    fn last_rtt_us(&self) -> Option<u32> {
        (self.last_rtt_us != NO_RTT).then_some(self.last_rtt_us)
    }

    pub fn status(&self) -> LineStatus {
        LineStatus {
            state: self.state,
            cause: (self.state == LineState::Unknown).then_some(self.cause),
            degraded: self.degraded,
            since_at: self.since_at,
            last_rtt_us: self.last_rtt_us(),
            sent: self.recent.len() as u32,
            lost: self.lost_of(super::recent::WINDOW),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::recent::DEPTH;
    use super::*;

    proptest! {
        #[test]
        fn the_newest_run_is_the_same_in_whatever_order_results_come(
            lost in prop::collection::vec(any::<bool>(), 1..=DEPTH),
            keys in prop::collection::vec(any::<u32>(), DEPTH),
        ) {
            let mut arrival: Vec<usize> = (0..lost.len()).collect();
            arrival.sort_by_key(|&i| keys[i]);
            let when = |i: usize| Moment { at: UnixMs(9_000 + 250 * i as i64), mono: MonoMs(250 * i as i64) };
            let spec = LineSpec { interval_ms: 250, uplink: 0, on_link: false, quality: Quality::default() };
            let mut line = Line::new(1, spec, Moment::default());
            for i in arrival {
                line.judge(when(i), (!lost[i]).then_some(1));
            }
            let newest = lost[lost.len() - 1];
            let first = lost.iter().rposition(|&l| l != newest).map_or(0, |i| i + 1);
            let found = if newest { line.loss_run().map(|run| run.first) } else { line.answer_run() };
            prop_assert_eq!(found, Some(when(first)));
            prop_assert_eq!(line.last, when(lost.len() - 1));
            let bursts: Vec<u32> =
                lost.chunk_by(|a, b| a == b).filter(|c| c[0]).map(|c| c.len() as u32).collect();
            let newest_bursts = &bursts[bursts.len().saturating_sub(super::super::MAX_BURSTS)..];
            let told: Vec<u32> = line.evidence(None, Vec::new()).bursts.iter().map(|b| b.lost).collect();
            prop_assert_eq!(told, newest_bursts);
        }
    }
}
