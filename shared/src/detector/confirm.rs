//! Deciding: runs that are long enough, confirmation, and the uplink's going and coming.

use super::engine::Detector;
use super::evidence::{Effect, LineState, Moment, UnknownCause};
use super::line::LossRun;
use super::uplink::{Census, Heards, Question, Verdict, verdict};
use crate::time::MonoMs;

/// How long a count of the losing lines is good for.
const CENSUS_MS: i64 = 100;

impl Detector {
    /// Judges a line by its newest run.
    pub(super) fn decide(&mut self, index: usize, now: Moment, out: &mut Vec<Effect>) {
        let line = &self.lines[index];
        let may_rise = match (line.state, line.cause) {
            (LineState::Up | LineState::Degraded, _) => false,
            (LineState::Down, _) | (_, UnknownCause::OwnUplink) => true,
            (LineState::Unknown, _) => line.window_full(&self.config),
        };
        if may_rise && line.clear_reached(&self.config) {
            if let Some(first) = line.answer_run() {
                self.change(index, LineState::Up, None, first, Vec::new(), now, out);
                self.line_came_up(index, out);
            }
            return;
        }
        let may_fall = line.state == LineState::Up
            || (line.state == LineState::Unknown && line.window_full(&self.config));
        match line.loss_run() {
            Some(run) if may_fall && line.raise_reached(&self.config) => self.confirm(index, run, now, out),
            _ => {
                let change = line.degraded_change(&self.config);
                self.lines[index].stop_waiting();
                if let Some(degraded) = change {
                    self.change_degraded(index, degraded, now, out);
                }
            }
        }
    }

    /// The losses are enough: whose are they?
    fn confirm(&mut self, index: usize, run: LossRun, now: Moment, out: &mut Vec<Effect>) {
        let (found, heard) = self.verdict_on(index, run, now);
        match found {
            Verdict::Wait => self.wait(index, now, out),
            Verdict::Carries => self.lines[index].stop_waiting(),
            Verdict::Line => {
                let said = heard.confirmations(false);
                self.change(index, LineState::Down, None, run.first, said, now, out);
            }
            Verdict::OwnUplink => {
                let uplink = usize::from(self.lines[index].spec.uplink);
                let said = heard.confirmations(self.uplinks[uplink].carrier_down);
                if self.lines[index].state == LineState::Unknown {
                    self.lines[index].cause = UnknownCause::OwnUplink;
                    self.lines[index].stop_waiting();
                } else {
                    let cause = Some(UnknownCause::OwnUplink);
                    self.change(index, LineState::Unknown, cause, run.first, said, now, out);
                }
                // Lack of a route for one line says nothing about the others.
                if heard != Heards::NOBODY {
                    self.cut_off(uplink, run.first, now, out);
                }
            }
        }
    }

    fn verdict_on(&mut self, index: usize, run: LossRun, now: Moment) -> (Verdict, Heards) {
        let line = &self.lines[index];
        let (target, spec) = (line.target, line.spec);
        let own_side = line.cut_since(run.first.mono);
        let expired = line.waits_until().is_some_and(|deadline| now.mono >= deadline);
        let from = MonoMs(run.first.mono.0 + i64::from(self.config.confirm_slack_ms));
        let question = Question { onset: run.first.mono, from, to: run.last, expired };
        let uplink = usize::from(spec.uplink);
        if own_side || self.uplinks[uplink].carrier_down {
            return (Verdict::OwnUplink, Heards::NOBODY);
        }
        self.take_census(uplink, now.mono);
        let state = &self.uplinks[uplink];
        let heard = state.ask(&self.anchors, target, spec.on_link, &question, &self.config);
        let found = verdict(false, heard);
        // While the uplink is known to be cut, who has not been heard yet need not be waited for.
        let still_cut = found == Verdict::Wait && state.cut.is_some() && !spec.on_link;
        (if still_cut { Verdict::OwnUplink } else { found }, heard)
    }

    /// Counts the lines of an uplink that could have answered, unless that was just done.
    fn take_census(&mut self, uplink: usize, now: MonoMs) {
        if self.uplinks[uplink].census.taken.is_some_and(|taken| now.0 - taken.0 < CENSUS_MS) {
            return;
        }
        let mut census = Census { taken: Some(now), ..Census::default() };
        for line in &self.lines {
            let asked = usize::from(line.spec.uplink) == uplink && !line.spec.on_link;
            if asked && line.state != LineState::Down {
                let losing = line.loss_run().is_some();
                census.losing += u32::from(losing);
                census.lines += u32::from(losing || line.answer_run().is_some());
            }
        }
        self.uplinks[uplink].census = census;
    }

    /// The own uplink is down since `since`: what is said about its lines from then on is void.
    fn cut_off(&mut self, uplink: usize, since: Moment, now: Moment, out: &mut Vec<Effect>) {
        if self.uplinks[uplink].cut.is_some() {
            return;
        }
        self.uplinks[uplink].cut = Some(since);
        for index in 0..self.lines.len() {
            let line = &self.lines[index];
            let concerned = usize::from(line.spec.uplink) == uplink && !line.spec.on_link;
            if concerned && line.state == LineState::Down {
                let occurred = if line.since_at > since.at { line.last } else { since };
                let cause = Some(UnknownCause::OwnUplink);
                self.change(index, LineState::Unknown, cause, occurred, Vec::new(), now, out);
                self.pace(index, out);
            }
        }
    }

    /// A gateway or outside anchor answered a probe sent at `mono`.
    pub(super) fn uplink_answered(&mut self, uplink: usize, mono: MonoMs, out: &mut Vec<Effect>) {
        let slack = i64::from(self.config.confirm_slack_ms);
        if self.uplinks[uplink].cut.is_some_and(|since| mono.0 >= since.mono.0 + slack) {
            self.uplink_is_back(uplink, mono, out);
        }
    }

    /// A line answered a probe sent at `mono`.
    pub(super) fn line_answered(&mut self, index: usize, mono: MonoMs, out: &mut Vec<Effect>) {
        let spec = self.lines[index].spec;
        if spec.on_link {
            return;
        }
        let uplink = usize::from(spec.uplink);
        self.uplinks[uplink].line_answer = self.uplinks[uplink].line_answer.max(Some(mono));
        self.uplinks[uplink].answers.note(mono);
        if !self.has_anchor(spec.uplink) {
            self.uplink_answered(uplink, mono, out);
        }
    }

    fn has_anchor(&self, uplink: u8) -> bool {
        use super::uplink::AnchorRole::{Gateway, Outside};
        self.anchors.iter().any(|a| a.spec.uplink == uplink && matches!(a.spec.role, Gateway | Outside))
    }

    /// A line that comes up proves its uplink, whatever anchors and carrier say.
    fn line_came_up(&mut self, index: usize, out: &mut Vec<Effect>) {
        let line = &self.lines[index];
        let (uplink, mono) = (usize::from(line.spec.uplink), line.last.mono);
        self.uplinks[uplink].carrier_down = false;
        if self.uplinks[uplink].cut.is_some() && !line.spec.on_link {
            self.uplink_is_back(uplink, mono, out);
        }
    }

    /// Losses from before do not count against the lines.
    fn uplink_is_back(&mut self, uplink: usize, from: MonoMs, out: &mut Vec<Effect>) {
        self.uplinks[uplink].cut = None;
        for index in 0..self.lines.len() {
            let line = &mut self.lines[index];
            let concerned = usize::from(line.spec.uplink) == uplink && !line.spec.on_link;
            if concerned && line.state != LineState::Down && line.loss_run().is_some() {
                line.forget(from);
                self.pace(index, out);
            }
        }
    }

    /// The carrier of one of the agent's interfaces went or came.
    pub fn set_carrier(&mut self, uplink: u8, is_up: bool, now: Moment, out: &mut Vec<Effect>) {
        let Some(state) = self.uplinks.get_mut(usize::from(uplink)) else {
            return;
        };
        if state.carrier_down != is_up {
            return;
        }
        state.carrier_down = !is_up;
        state.cut = None;
        for index in 0..self.lines.len() {
            let line = &self.lines[index];
            if line.spec.uplink != uplink {
                continue;
            }
            if !is_up && line.state != LineState::Unknown {
                let losing = if line.state == LineState::Up { line.loss_run() } else { None };
                let occurred = losing.map_or(now, |run| run.first);
                let said = Heards::NOBODY.confirmations(true);
                let cause = Some(UnknownCause::OwnUplink);
                self.change(index, LineState::Unknown, cause, occurred, said, now, out);
            }
            self.lines[index].forget(now.mono);
            self.pace(index, out);
        }
    }
}
