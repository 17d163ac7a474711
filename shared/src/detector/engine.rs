//! All lines and anchors of one agent, and what a sample or a tick does to them.

use thiserror::Error;

use super::config::DetectorConfig;
use super::evidence::{Confirmation, Effect, LineState, LineStatus, Moment, Transition, UnknownCause};
use super::line::{Line, LineSpec};
use super::uplink::{Anchor, AnchorRole, AnchorSpec, Uplink};
use crate::sample::{Outcome, Sample};
use crate::time::{MonoMs, SECOND_MS};

/// Target numbers are below this.
pub const MAX_TARGET: u32 = 131_072;
/// Interfaces of the agent's that are told apart.
pub const MAX_UPLINKS: u8 = 16;
/// Gateways, outside anchors and other methods together.
pub const MAX_ANCHORS: usize = 1_024;
/// How often lines are looked through for gaps.
const SCAN_EVERY_MS: i64 = SECOND_MS;
/// How soon waiting lines are looked at again.
pub(super) const WAIT_EVERY_MS: i64 = 100;

/// A target that can't be taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TargetError {
    /// Its number is too large.
    #[error("target number {0} is not below {MAX_TARGET}")]
    Number(u32),
    /// Its number is in use.
    #[error("target number {0} is in use")]
    Taken(u32),
    /// Its uplink's number is too large.
    #[error("uplink number {0} is not below {MAX_UPLINKS}")]
    Uplink(u8),
    /// There are too many anchors.
    #[error("more than {MAX_ANCHORS} anchors")]
    Anchors,
    /// A probe can't be sent every 0 ms.
    #[error("target {0} has an interval of 0 ms")]
    Interval(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Free,
    Line(u32),
    Anchor(u32),
}

/// The detector of one agent.
#[derive(Clone, Debug)]
pub struct Detector {
    pub(super) config: DetectorConfig,
    pub(super) lines: Vec<Line>,
    pub(super) anchors: Vec<Anchor>,
    pub(super) uplinks: Vec<Uplink>,
    pub(super) slots: Vec<Slot>,
    pub(super) fast_lines: u32,
    /// Lines that wait for confirmation, by target number; may hold some that no longer do.
    pub(super) waiting: Vec<u32>,
    next_scan: MonoMs,
    pub(super) next_look: MonoMs,
}

impl Detector {
    /// A detector without lines. Call [`DetectorConfig::check`] first on numbers from outside.
    #[must_use]
    pub fn new(config: DetectorConfig) -> Self {
        Self {
            config,
            lines: Vec::new(),
            anchors: Vec::new(),
            uplinks: vec![Uplink::default(); usize::from(MAX_UPLINKS)],
            slots: Vec::new(),
            fast_lines: 0,
            waiting: Vec::new(),
            next_scan: MonoMs(i64::MIN),
            next_look: MonoMs(i64::MAX),
        }
    }

    /// Takes a line in; it is unknown (starting) from `now` on.
    ///
    /// # Errors
    /// When the number, uplink or interval is out of range or the number is in use.
    pub fn add_line(
        &mut self,
        target: u32,
        spec: LineSpec,
        now: Moment,
        out: &mut Vec<Effect>,
    ) -> Result<(), TargetError> {
        let index = self.lines.len();
        self.take_slot(target, spec.uplink, spec.interval_ms, Slot::Line(index as u32))?;
        self.lines.push(Line::new(target, spec, now));
        self.pace(index, out);
        Ok(())
    }

    /// Takes an anchor in.
    ///
    /// # Errors
    /// When the number, uplink or interval is out of range, the number is in use, or there are too many.
    pub fn add_anchor(&mut self, target: u32, spec: AnchorSpec) -> Result<(), TargetError> {
        if self.anchors.len() >= MAX_ANCHORS {
            return Err(TargetError::Anchors);
        }
        let slot = Slot::Anchor(self.anchors.len() as u32);
        self.take_slot(target, spec.uplink, spec.interval_ms, slot)?;
        self.anchors.push(Anchor::new(target, spec));
        Ok(())
    }

    fn take_slot(
        &mut self,
        target: u32,
        uplink: u8,
        interval_ms: u32,
        slot: Slot,
    ) -> Result<(), TargetError> {
        if target >= MAX_TARGET {
            return Err(TargetError::Number(target));
        }
        if uplink >= MAX_UPLINKS {
            return Err(TargetError::Uplink(uplink));
        }
        if interval_ms == 0 {
            return Err(TargetError::Interval(target));
        }
        let at = target as usize;
        if self.slots.len() <= at {
            self.slots.resize(at + 1, Slot::Free);
        }
        if self.slots[at] != Slot::Free {
            return Err(TargetError::Taken(target));
        }
        self.slots[at] = slot;
        Ok(())
    }

    /// Forgets a line or an anchor. Unknown numbers are ignored.
    pub fn remove(&mut self, target: u32) {
        match self.slot(target) {
            Slot::Free => return,
            Slot::Line(index) => {
                let line = self.lines.swap_remove(index as usize);
                self.fast_lines -= u32::from(line.fast);
                if let Some(moved) = self.lines.get(index as usize) {
                    self.slots[moved.target as usize] = Slot::Line(index);
                }
            }
            Slot::Anchor(index) => {
                self.anchors.swap_remove(index as usize);
                if let Some(moved) = self.anchors.get(index as usize) {
                    self.slots[moved.target as usize] = Slot::Anchor(index);
                }
            }
        }
        self.slots[target as usize] = Slot::Free;
    }

    /// Changes how a line is asked, without forgetting what is known of it. Unknown numbers are ignored.
    pub fn change_line(&mut self, target: u32, spec: LineSpec, out: &mut Vec<Effect>) {
        if let Slot::Line(index) = self.slot(target)
            && spec.uplink < MAX_UPLINKS
            && spec.interval_ms > 0
        {
            let line = &mut self.lines[index as usize];
            line.spec = spec;
            self.fast_lines -= u32::from(line.fast);
            line.fast = false;
            self.pace(index as usize, out);
        }
    }

    pub(super) fn slot(&self, target: u32) -> Slot {
        self.slots.get(target as usize).copied().unwrap_or(Slot::Free)
    }

    /// The state of a line now; none for other targets.
    #[must_use]
    pub fn status(&self, target: u32) -> Option<LineStatus> {
        match self.slot(target) {
            Slot::Line(index) => self.lines.get(index as usize).map(Line::status),
            _ => None,
        }
    }

    /// Takes one sample of a line or an anchor; other numbers are ignored.
    pub fn on_sample(&mut self, sample: &Sample, now: Moment, out: &mut Vec<Effect>) {
        match self.slot(sample.target) {
            Slot::Free => {}
            Slot::Line(index) => self.on_line_sample(index as usize, sample, now, out),
            Slot::Anchor(index) => {
                let anchor = &mut self.anchors[index as usize];
                anchor.note(sample);
                let proves = !matches!(anchor.spec.role, AnchorRole::OtherMethod { .. });
                let uplink = usize::from(anchor.spec.uplink);
                if proves && matches!(sample.outcome, Outcome::Answered { .. }) {
                    self.uplink_answered(uplink, sample.sent_mono, out);
                }
            }
        }
    }

    fn on_line_sample(&mut self, index: usize, sample: &Sample, now: Moment, out: &mut Vec<Effect>) {
        let when = Moment { at: sample.sent_at, mono: sample.sent_mono };
        if self.lines[index].gap_before(when.mono, &self.config) {
            self.gap(index, when.mono, now, out);
        }
        match sample.outcome {
            Outcome::NotSent(cause) => {
                self.lines[index].note_not_sent(when.mono, cause);
                return;
            }
            Outcome::Answered { rtt_us } => {
                self.lines[index].judge(when, Some(rtt_us));
                self.line_answered(index, when.mono, out);
            }
            Outcome::Lost(_) => self.lines[index].judge(when, None),
        }
        self.decide(index, now, out);
        self.pace(index, out);
    }

    /// Looks for gaps and for confirmations that were waited for long enough. Calling it early, late or
    /// twice does no harm.
    pub fn on_tick(&mut self, now: Moment, out: &mut Vec<Effect>) {
        if now.mono >= self.next_scan {
            self.next_scan = MonoMs(now.mono.0 + SCAN_EVERY_MS);
            for index in 0..self.lines.len() {
                if self.lines[index].gap_before(now.mono, &self.config) {
                    self.gap(index, now.mono, now, out);
                    self.pace(index, out);
                }
            }
        }
        let had_waiting = !self.waiting.is_empty();
        for at in 0..self.waiting.len() {
            if let Slot::Line(index) = self.slot(self.waiting[at])
                && self.lines[index as usize].waits_until().is_some()
            {
                self.decide(index as usize, now, out);
                self.pace(index as usize, out);
            }
        }
        if had_waiting {
            self.drop_settled();
            self.pace_anchors(out);
        }
        let next = if self.waiting.is_empty() { i64::MAX } else { now.mono.0 + WAIT_EVERY_MS };
        self.next_look = MonoMs(next);
    }

    /// When to call [`Detector::on_tick`] next.
    #[must_use]
    pub fn next_wake(&self) -> MonoMs {
        self.next_scan.min(self.next_look)
    }

    /// A line without judged probes for too long becomes unknown, and starts a new window in any case.
    fn gap(&mut self, index: usize, until: MonoMs, now: Moment, out: &mut Vec<Effect>) {
        let line = &mut self.lines[index];
        if line.state == LineState::Unknown {
            line.forget(line.last.mono);
            if line.not_sent.is_some() {
                line.cause = line.gap_cause();
            }
        } else {
            let (cause, last) = (line.gap_cause(), line.last);
            self.change(index, LineState::Unknown, Some(cause), last, Vec::new(), now, out);
        }
        debug_assert!(self.lines[index].last.mono <= until);
    }

    /// Enters a state and tells it.
    #[expect(
        clippy::too_many_arguments,
        reason = "one change is these seven things; a struct would only rename them"
    )]
    pub(super) fn change(
        &mut self,
        index: usize,
        to: LineState,
        cause: Option<UnknownCause>,
        occurred: Moment,
        confirmations: Vec<Confirmation>,
        now: Moment,
        out: &mut Vec<Effect>,
    ) {
        let line = &mut self.lines[index];
        let (target, from) = (line.target, line.state);
        let mut evidence = line.evidence(cause, confirmations);
        evidence.degraded = false;
        line.enter(to, cause.unwrap_or(UnknownCause::Starting), occurred);
        out.push(Effect::Changed(Box::new(Transition {
            target,
            from,
            to,
            occurred,
            decided_at: now.at,
            evidence,
        })));
    }

    /// Marks a line that is up as degraded or clean and tells it.
    pub(super) fn change_degraded(
        &mut self,
        index: usize,
        degraded: bool,
        now: Moment,
        out: &mut Vec<Effect>,
    ) {
        let line = &mut self.lines[index];
        line.degraded = degraded;
        out.push(Effect::Changed(Box::new(Transition {
            target: line.target,
            from: LineState::Up,
            to: LineState::Up,
            occurred: line.last,
            decided_at: now.at,
            evidence: line.evidence(None, Vec::new()),
        })));
    }
}
